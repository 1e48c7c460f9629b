//! A creator launches a campaign: new titles and addresses for hundreds of links at once.

use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::{FrontRoute, LinkValues};
use crate::history::{self, Did, NewWords};
use crate::traffic::Answer;
use crate::traffic::campaigns::Words;
use reqwest::{Client, RequestBuilder};
use std::borrow::Cow;

/// Launches a campaign.
pub struct Campaign;

impl Act for Campaign {
    const INFO: ActionInfo = ActionInfo {
        id: "campaign",
        noun: "campaign",
        story: "campaign of",
        lines: None,
        dice: "campaigns",
        needs: Some(FrontRoute::Campaigns),
        connection: Connection::Kept,
    };

    /// The creator's session goes with it, for those who ask for one.
    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let front = visit.front;
        let words = words(visit);
        let links =
            words.iter().map(|one| LinkValues { id: &one.id, title: &one.title, url: &one.url });
        let session = front.session.replace("{token}", &visit.sessions.token(visit.handle));
        client
            .post(visit.url(&front.campaigns))
            .header(&front.session_header, session)
            .json(&front.campaign_fields.body(visit.handle, links))
    }

    /// What was sent; the answer says nothing more.
    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        let note = |words: Words| NewWords {
            payload: Cow::Owned(words.payload()),
            id: Cow::Owned(words.id),
        };
        let links = words(visit).into_iter().map(note).collect();
        Did::Campaign(history::Campaign { links })
    }
}

fn words(visit: &Visit<'_>) -> Vec<Words> {
    visit.campaigns.words(visit.handle, visit.nth, visit.visitor.arrival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Settings, find};
    use crate::front_door::{CampaignFields, FrontDoor};
    use crate::traffic::Schedule;
    use crate::traffic::actions::testing;
    use crate::traffic::campaigns::Campaigns;

    #[test]
    fn what_is_sent_is_what_is_noted_however_it_is_spelled() {
        let plan = find("campaign-launch").unwrap().plan(&Settings::default());
        let campaigns = Campaigns::of(&plan, &Schedule::of(&plan).unwrap());
        let front = FrontDoor {
            campaigns: "/launches".into(),
            campaign_fields: CampaignFields {
                links: "data.changes".into(),
                id: "link".into(),
                ..CampaignFields::default()
            },
            ..FrontDoor::default()
        };
        let visit = Visit {
            front: &front,
            campaigns: &campaigns,
            handle: "launch-0001",
            ..testing::visit()
        };
        let request = Campaign::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!((request.method().as_str(), request.url().path()), ("POST", "/launches"));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let sent = body["data"]["changes"].as_array().unwrap();
        let Did::Campaign(noted) = Campaign::notes(&mut visit.clone(), &Answer::default()) else {
            panic!("a campaign notes a campaign");
        };
        assert!(sent.len() >= 250 && sent.len() == noted.links.len());
        assert_eq!(
            (&body["handle"], &sent[9]["link"]),
            (&"launch-0001".into(), &(*noted.links[9].id).into())
        );
        let text = |name: &str| sent[9][name].as_str().unwrap().to_owned();
        let words = Words { id: String::new(), title: text("title"), url: text("url") };
        assert_eq!(words.payload(), noted.links[9].payload);
    }
}
