//! How many visitors asked for a page while each chain of reads of it lasted.

use mock_server::clock::Moment;
use std::collections::HashMap;

/// Spans by creator, and the visitors who asked within each.
#[derive(Default)]
pub struct Visits {
    creators: HashMap<String, OfCreator>,
}

#[derive(Default)]
struct OfCreator {
    /// From the first moment that counts to the last.
    spans: Vec<(Moment, Moment)>,
    /// Where spans begin, and just behind their ends; ascending.
    cuts: Vec<Moment>,
    /// Visitors before the first cut, between each two, and behind the last.
    between: Vec<usize>,
}

impl Visits {
    /// Nobody yet, in these spans of creators' pages.
    pub fn within(spans: impl IntoIterator<Item = (String, (Moment, Moment))>) -> Self {
        let mut creators: HashMap<String, OfCreator> = HashMap::new();
        for (handle, span) in spans {
            creators.entry(handle).or_default().spans.push(span);
        }
        creators.values_mut().for_each(OfCreator::cut);
        Self { creators }
    }

    /// Takes in a visitor.
    pub fn note(&mut self, handle: &str, at: Moment) {
        if let Some(of) = self.creators.get_mut(handle) {
            let place = of.place(at);
            of.between[place] += 1;
        }
    }

    /// The visitors in each span, by creator and the span's end; of several spans with one end the most.
    pub fn counted(&self) -> HashMap<(&str, Moment), usize> {
        let mut all = HashMap::new();
        for (handle, of) in &self.creators {
            let so_far = of.between.iter().scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            });
            let so_far: Vec<usize> = so_far.collect();
            for (from, until) in &of.spans {
                // Whoever comes when a span begins is in it, behind that cut.
                let before = of.place(*from).checked_sub(1).map_or(0, |place| so_far[place]);
                let asked = so_far[of.place(*until)].saturating_sub(before);
                let most = all.entry((handle.as_str(), *until)).or_default();
                *most = asked.max(*most);
            }
        }
        all
    }
}

impl OfCreator {
    fn cut(&mut self) {
        let behind = |moment: Moment| Moment(moment.0.saturating_add(1));
        self.cuts = self.spans.iter().flat_map(|(from, until)| [*from, behind(*until)]).collect();
        self.cuts.sort_unstable();
        self.cuts.dedup();
        self.between = vec![0; self.cuts.len() + 1];
    }

    /// Where a moment lies between the cuts.
    fn place(&self, at: Moment) -> usize {
        self.cuts.partition_point(|cut| *cut <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_are_counted_in_every_span_with_both_its_ends() {
        let ms = |(from, until)| (Moment::from_ms(from), Moment::from_ms(until));
        let spans = [(10, 20), (15, 40), (30, 40), (50, 50)];
        let mut visits = Visits::within(spans.map(|span| ("ann".to_owned(), ms(span))));
        for at in [9, 10, 15, 20, 21, 30, 40, 41, 50, 51] {
            visits.note("ann", Moment::from_ms(at));
            visits.note("bob", Moment::from_ms(at));
        }
        let counted = visits.counted();
        let in_span = |until| counted[&("ann", Moment::from_ms(until))];
        assert_eq!([20, 40, 50].map(in_span), [3, 5, 1]);
        assert_eq!(counted.len(), 3);
    }
}
