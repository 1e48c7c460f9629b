//! How a visitor comes: by which campaign, from where, and with which browser.
//!
//! Most come as anybody would. The others bring what real ones bring: parameters of a campaign in any
//! order, odd names of browsers, and now and then the creator's e-mail, as newsletters and mailbots do.
//! Whoever logs whole addresses, referers or names of browsers logs personal data.

use super::Visitor;
use mock_server::seed;
use mock_server::world::population::email;
use std::borrow::Cow;

/// How one visitor comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// The query of a page's address, without `?`; empty for most.
    pub query: String,
    /// Where the visitor comes from, if the browser tells.
    pub referer: Option<String>,
    /// What the browser calls itself.
    pub browser: Cow<'static, str>,
    /// Whether the browser asks for pages before the visitor does.
    pub prefetch: bool,
}

/// Shares of all visitors, in 256ths.
const BY_CAMPAIGN: u8 = 90;
const TELL_REFERER: u8 = 120;
const ODD_BROWSER: u8 = 20;
const PREFETCH: u8 = 6;
/// Of campaigns and referers those that name the creator's e-mail.
const WITH_EMAIL: u8 = 40;

const SOURCES: [&str; 4] = ["newsletter", "instagram", "tiktok", "qr-code"];
const MEDIA: [&str; 3] = ["email", "social", "print"];
const CAMPAIGNS: [&str; 3] = ["spring%20launch", "tour-2026", "50%25+off"];
const REFERERS: [&str; 5] = [
    "https://www.instagram.com/",
    "https://t.co/x9KqW2",
    "android-app://com.google.android.gm/",
    "https://search.example.org/?q=link+in+bio&tok=%E2%9C%93",
    "about:blank",
];

impl Habits {
    /// How this visitor comes to this creator; the same seed and index always come the same way.
    #[must_use]
    pub fn of(visitor: Visitor, handle: &str) -> Self {
        let roll = seed::derive(visitor.seed, &["habits", &visitor.arrival.to_string()]);
        let email = || email(visitor.seed, handle);
        let query = if roll[0] < BY_CAMPAIGN { campaign(&roll, email) } else { String::new() };
        let referer = (roll[1] < TELL_REFERER).then(|| {
            if roll[2] < WITH_EMAIL {
                return format!("https://mail.example.org/inbox?to={}", email());
            }
            pick(&REFERERS, roll[3]).to_owned()
        });
        let browser = if roll[4] < ODD_BROWSER {
            odd_browser(roll[5], email)
        } else {
            visitor.browser().into()
        };
        Self { query, referer, browser, prefetch: roll[6] < PREFETCH }
    }
}

/// The parameters of a campaign, in the order in which whoever built the link put them.
fn campaign(roll: &[u8; 32], email: impl Fn() -> String) -> String {
    let mut parameters = vec![
        format!("utm_source={}", pick(&SOURCES, roll[7])),
        format!("utm_medium={}", pick(&MEDIA, roll[8])),
        format!("utm_campaign={}", pick(&CAMPAIGNS, roll[9])),
        // One for each visitor, so that no two addresses are the same.
        format!(
            "fbclid=IwAR{:016x}",
            u64::from_le_bytes(roll[10..18].try_into().unwrap_or([0; 8]))
        ),
    ];
    if roll[18] < WITH_EMAIL {
        parameters.push(format!("utm_content={}", email().replace('@', "%40")));
    }
    let first = usize::from(roll[19]) % parameters.len();
    parameters.rotate_left(first);
    if roll[20] < 128 {
        parameters.reverse();
    }
    parameters.join("&")
}

fn odd_browser(roll: u8, email: impl Fn() -> String) -> Cow<'static, str> {
    match roll % 6 {
        0 => "".into(),
        1 => format!("Mozilla/5.0 (compatible; LinkPreview/2.1; +mailto:{})", email()).into(),
        2 => format!("Mozilla/5.0 {}", "(like Gecko) ".repeat(90)).into(),
        3 => r#"'"><%s%n{{7*7}}${x}\;--"#.into(),
        4 => "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)".into(),
        _ => "-".into(),
    }
}

fn pick(words: &[&'static str], roll: u8) -> &'static str {
    words[usize::from(roll) % words.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;
    use std::collections::HashSet;

    fn habits(seed: u64) -> Vec<Habits> {
        (0..2_000).map(|arrival| Habits::of(Visitor { seed, arrival }, "ann")).collect()
    }

    fn share(of: &[Habits], has: impl Fn(&&Habits) -> bool) -> usize {
        of.iter().filter(has).count() * 100 / of.len()
    }

    #[test]
    fn the_same_seed_comes_the_same_way_and_another_seed_another() {
        assert_eq!(habits(7), habits(7));
        assert_ne!(habits(7), habits(8));
    }

    #[test]
    fn some_come_in_each_odd_way_and_most_do_not() {
        let all = habits(7);
        let address = email(7, "ann");
        assert!((30..40).contains(&share(&all, |one| !one.query.is_empty())));
        assert!((40..55).contains(&share(&all, |one| one.referer.is_some())));
        assert!((1..5).contains(&share(&all, |one| one.prefetch)));
        assert!(
            (4..12).contains(&share(&all, |one| !one.browser.starts_with("Mozilla/5.0 (")))
                || share(&all, |one| one.browser.len() > 1_000) > 0
        );
        let spelled = address.replace('@', "%40");
        assert!(all.iter().any(|one| one.query.contains(&spelled)));
        let referred = |one: &Habits| one.referer.as_ref().is_some_and(|it| it.contains(&address));
        assert!(all.iter().any(referred));
        assert!(all.iter().any(|one| one.browser.contains(&address)));
    }

    #[test]
    fn no_two_campaigns_are_alike_and_their_parameters_come_in_any_order() {
        let all = habits(7);
        let queries: Vec<&str> =
            all.iter().map(|one| one.query.as_str()).filter(|query| !query.is_empty()).collect();
        assert_eq!(queries.iter().collect::<HashSet<_>>().len(), queries.len());
        for first in ["utm_source=", "utm_medium=", "utm_campaign=", "fbclid="] {
            assert!(queries.iter().any(|query| query.starts_with(first)), "{first}");
        }
    }

    #[test]
    fn what_a_visitor_brings_can_stand_in_a_head() {
        for one in habits(7) {
            HeaderValue::from_str(&one.browser).unwrap();
            HeaderValue::from_str(one.referer.as_deref().unwrap_or_default()).unwrap();
            assert!(one.query.bytes().all(|byte| byte.is_ascii_graphic()), "{}", one.query);
        }
    }
}
