//! Before any storm: what judges could not see is said at once, and which key of the configuration would
//! mend it.
//!
//! After the probe has reached the mock, one visitor looks at its page, clicks a link and reads the
//! metrics. Judges leave that click out ([`FIRST_CLICK`]).

use super::target::cause;
use crate::body;
use crate::metrics::MetricNames;
use jiff::Timestamp;
use mock_server::clock::Clock;
use reqwest::{Client, RequestBuilder, Response};
use scenarios::front_door::{ClickValues, FrontDoor, FrontRoute};
use scenarios::observed::FIRST_CLICK;
use scenarios::traffic::Visitor;
use scenarios::traffic::page::Page;
use std::time::Duration;

/// More of a page or of metrics is not read.
const LARGEST: usize = 4 << 20;

/// One visitor's look around.
pub struct FirstVisit<'v> {
    /// Calls the target.
    pub client: &'v Client,
    /// `http://host:port` of the target.
    pub url: &'v str,
    /// How its routes are spelled.
    pub front: &'v FrontDoor,
    /// Where its metrics are.
    pub metrics_url: &'v str,
    /// What its series are called.
    pub metrics: &'v MetricNames,
    /// Whose page it is.
    pub handle: &'v str,
    /// Who visits.
    pub visitor: Visitor,
    /// How long each answer may take.
    pub patience: Duration,
}

/// What came of one request: its status and its body, or why there is none.
type Came = Result<(u16, Vec<u8>), String>;

impl FirstVisit<'_> {
    /// What is missing, a sentence each.
    pub async fn lacks(&self) -> Vec<String> {
        let (header, came) = self.page(&self.front.page_of(self.handle)).await;
        let mut lacks = Vec::new();
        let seen = came.as_ref().map(|came| Page::read(&came.1, self.front)).unwrap_or_default();
        lacks.extend(page_lacks(self.front, header, &came, &seen));
        if self.front.offers(FrontRoute::Clicks) {
            let came = self.click(&seen).await;
            lacks.extend(click_lacks(self.front, &came));
        }
        if self.front.offers(FrontRoute::Metrics) && !self.metrics.channel.is_pushed() {
            let asked = self.client.get(self.metrics_url).header("accept", "text/plain");
            let shown = self.metrics_url.strip_prefix(self.url).unwrap_or(self.metrics_url);
            lacks.extend(metrics_lack(shown, self.metrics, &self.came(asked).await));
        }
        lacks
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Whether the header with the version was there, and the page.
    async fn page(&self, path: &str) -> (bool, Came) {
        match self.sent(self.client.get(self.at(path))).await {
            Ok(answer) => {
                let header = answer.headers().contains_key(&self.front.version_header);
                (header, Ok(read(answer).await))
            }
            Err(why) => (false, Err(why)),
        }
    }

    async fn click(&self, page: &Page) -> Came {
        let event_id = format!("{FIRST_CLICK}{:x}", std::process::id());
        let first = format!("{}-l1", self.handle);
        let now = Timestamp::try_from(Clock::wall()).unwrap_or_default();
        let body = self.front.click_fields.body(&ClickValues {
            event_id: &event_id,
            handle: self.handle,
            link_id: page.links.first().unwrap_or(&first),
            occurred_at: &format!("{now:.3}"),
            ip: &self.visitor.ip(),
            user_agent: self.visitor.browser(),
        });
        let clicks = self.at(&self.front.clicks);
        let method = self.front.click_method.method();
        self.came(self.client.request(method, clicks).json(&body)).await
    }

    async fn came(&self, request: RequestBuilder) -> Came {
        Ok(read(self.sent(request).await?).await)
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, String> {
        let answer = request.timeout(self.patience).send().await;
        answer.map_err(|error| format!("was not answered ({})", cause(&error)))
    }
}

/// The status and the beginning of the body, as far as it came.
async fn read(mut answer: Response) -> (u16, Vec<u8>) {
    let (body, _) = body::beginning(&mut answer, LARGEST).await;
    (answer.status().as_u16(), body)
}

fn failed(came: &Came) -> Option<String> {
    match came {
        Ok((200..=299, _)) => None,
        Ok((status, _)) => Some(format!("was answered {status}")),
        Err(why) => Some(why.clone()),
    }
}

fn page_lacks(front: &FrontDoor, header: bool, came: &Came, page: &Page) -> Option<String> {
    let FrontDoor { page: path, version_header, version_meta, .. } = front;
    if let Some(how) = failed(came) {
        return Some(format!(
            "GET {path} {how}, though the mock was asked for it: pages cannot be judged \
             (front_door.page)"
        ));
    }
    let lacks = !header && page.version.is_none();
    lacks.then(|| {
        format!(
            "GET {path} shows no version: neither the header {version_header:?} nor <meta \
             name={version_meta:?}>; what a page shows cannot be traced to Linktree \
             (front_door.version_header, front_door.version_meta)"
        )
    })
}

fn click_lacks(front: &FrontDoor, came: &Came) -> Option<String> {
    let (method, path) = (front.click_method.method(), &front.clicks);
    failed(came).map(|how| {
        format!(
            "{method} {path} {how}: clicks cannot be judged (front_door.clicks, click_method and \
             click_fields; or front_door.without = [\"clicks\"])"
        )
    })
}

fn metrics_lack(path: &str, names: &MetricNames, came: &Came) -> Option<String> {
    if let Some(how) = failed(came) {
        return Some(format!(
            "GET {path} {how}: metrics cannot be judged (front_door.metrics, or observe.metrics_url where \
             they are on another port; or front_door.without = [\"metrics\"])"
        ));
    }
    let text = came.as_ref().map(|came| String::from_utf8_lossy(&came.1)).unwrap_or_default();
    // A counter may be shown from its first event on only, but a call has been made.
    let latency = names.latency.split('{').next().unwrap_or_default();
    (!latency.is_empty() && !text.contains(latency)).then(|| {
        format!(
            "GET {path} shows no series {latency:?}, though a call has been made: latencies cannot be \
             compared (observe.metrics.latency)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn lacks(url: &str) -> Vec<String> {
        let visit = FirstVisit {
            client: &Client::new(),
            url,
            front: &FrontDoor::default(),
            metrics_url: &format!("{url}/metrics"),
            metrics: &MetricNames::default(),
            handle: "windthrow-1-0001",
            visitor: Visitor { seed: 7, arrival: 0 },
            patience: Duration::from_secs(5),
        };
        visit.lacks().await
    }

    /// What is said of a target that answers its first requests so, one after the other.
    async fn check(answers: [&'static str; 3], expected: &[&str]) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut asking, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4_096];
                let mut length = 0;
                while !is_whole(&request[..length]) {
                    length += asking.read(&mut request[length..]).await.unwrap();
                }
                asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
                let (head, body) = answer.split_once('|').unwrap();
                let answer = format!(
                    "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                asking.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        let lacks = lacks(&url).await;
        assert_eq!(lacks.len(), expected.len(), "{lacks:?}");
        for (lack, expected) in lacks.iter().zip(expected) {
            assert!(lack.contains(expected), "{lack} | {expected}");
        }
        let asked = server.await.unwrap();
        assert!(asked[1].starts_with("POST /api/clicks ") && asked[1].contains(FIRST_CLICK));
        assert!(asked[2].starts_with("GET /metrics "));
    }

    /// Whether a request has come with all of its body.
    fn is_whole(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        length.is_none_or(|length| body.len() >= length.parse::<usize>().unwrap())
    }

    const PAGE: &str =
        "200 OK|<meta name=\"profile-version\" content=\"v1\"><a data-link-id=\"l1\">x</a>";
    const METRICS: &str = "200 OK|linktree_upstream_request_duration_seconds_count 1\n";

    #[tokio::test]
    async fn who_shows_all_that_is_judged_lacks_nothing() {
        check([PAGE, "202 Accepted|", METRICS], &[]).await;
        let by_header = "200 OK\r\nx-profile-version: v1|<a data-link-id=\"l1\">x</a>";
        check([by_header, "200 OK|", METRICS], &[]).await;
    }

    #[tokio::test]
    async fn what_is_missing_is_named_with_the_key_to_change() {
        check(
            ["200 OK|<p>hello", "404 Not Found|", "404 Not Found|"],
            &["front_door.version_meta", "answered 404: clicks", "front_door.metrics"],
        )
        .await;
        check(
            ["500 Oops|", "422 No|bad field", "200 OK|up 1\n"],
            &["answered 500, though", "click_fields", "observe.metrics.latency"],
        )
        .await;
    }

    #[tokio::test]
    async fn who_is_gone_is_told_so() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let lacks = lacks(&url).await;
        assert_eq!(lacks.len(), 3, "{lacks:?}");
        assert!(lacks.iter().all(|lack| lack.contains("was not answered (")), "{lacks:?}");
    }
}
