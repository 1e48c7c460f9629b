//! Who a visitor is: address and browser, fixed by seed and index.

use mock_server::seed;

const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/137.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
];

/// The networks that are reserved for documentation (RFC 5737): nobody else's address is in them.
const NETWORKS: [&str; 3] = ["192.0.2", "198.51.100", "203.0.113"];
/// Hosts in each of them.
const HOSTS: u16 = 254;

/// One visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The plan's seed.
    pub seed: u64,
    /// Index of the arrival in the schedule.
    pub arrival: u64,
}

impl Visitor {
    /// The visitor's address.
    #[must_use]
    pub fn ip(&self) -> String {
        let roll = seed::derive(self.seed, &["visitor", &self.arrival.to_string()]);
        let net = NETWORKS[usize::from(roll[0]) % NETWORKS.len()];
        format!("{net}.{}", 1 + u16::from(roll[1]) % HOSTS)
    }

    /// What the visitor's browser calls itself.
    #[must_use]
    pub const fn browser(&self) -> &'static str {
        BROWSERS[(self.arrival % 3) as usize]
    }

    /// One of these, which the index chooses; none of nothing.
    #[must_use]
    pub fn chosen<'t, T>(&self, from: &'t [T]) -> Option<&'t T> {
        let place = self.arrival.checked_rem(from.len() as u64)?;
        from.get(usize::try_from(place).ok()?)
    }
}

/// Every address that a visitor may have.
pub fn addresses() -> impl Iterator<Item = String> {
    NETWORKS.iter().flat_map(|net| (1..=HOSTS).map(move |host| format!("{net}.{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_fixed_by_seed_and_index_and_reserved_for_documentation() {
        let ip = |arrival| Visitor { seed: 7, arrival }.ip();
        // Other addresses would make old plans other storms.
        assert_eq!([0, 1, 4].map(ip), ["203.0.113.156", "198.51.100.6", "192.0.2.46"]);
        let reserved: Vec<String> = addresses().collect();
        for arrival in 0..200 {
            let ip = ip(arrival);
            assert!(reserved.contains(&ip), "{ip}");
            assert!(ip.parse::<std::net::Ipv4Addr>().is_ok(), "{ip}");
        }
    }

    #[test]
    fn the_index_chooses_in_turn() {
        let chosen = |arrival| Visitor { seed: 7, arrival }.chosen(&["a", "b"]).copied();
        assert_eq!([0, 1, 5].map(chosen), [Some("a"), Some("b"), Some("b")]);
        assert_eq!(Visitor { seed: 7, arrival: 3 }.chosen::<u8>(&[]), None);
    }
}
