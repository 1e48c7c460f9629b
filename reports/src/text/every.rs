//! Every text of a report, one after the other.

use super::printable;
use crate::report::Report;

impl Report {
    /// A copy in which every text is [`printable`].
    pub(crate) fn printable(&self, max_chars: usize) -> Self {
        let mut copy = self.clone();
        each_text(&mut copy, &mut |text| *text = printable(text, max_chars));
        copy
    }
}

/// Visits every text of a report; a test below fails if a new field is forgotten.
fn each_text(report: &mut Report, visit: &mut dyn FnMut(&mut String)) {
    let identity = &mut report.identity;
    for text in [
        &mut report.tool_version,
        &mut report.run_id,
        &mut report.sentence,
        &mut report.started,
        &mut report.rerun,
        &mut identity.seed,
        &mut identity.plan_hash,
        &mut identity.profile,
        &mut identity.contract.name,
        &mut identity.target.kind,
        &mut identity.target.name,
        &mut identity.machine.os,
    ] {
        visit(text);
    }
    report.why.iter_mut().for_each(&mut *visit);
    identity.target.mutant.iter_mut().for_each(&mut *visit);
    identity.target.version.iter_mut().for_each(&mut *visit);
    identity.config_hash.iter_mut().for_each(&mut *visit);
    for (mut name, mut version) in std::mem::take(&mut identity.versions) {
        visit(&mut name);
        visit(&mut version);
        identity.versions.insert(name, version);
    }
    for scenario in &mut report.scenarios {
        visit(&mut scenario.id);
        visit(&mut scenario.title);
        scenario.ending_reason.iter_mut().for_each(&mut *visit);
        scenario.started.iter_mut().for_each(&mut *visit);
        scenario.breakers.iter_mut().for_each(|breaker| visit(&mut breaker.guards));
        scenario.evidence.dispatcher.iter_mut().for_each(&mut *visit);
        scenario.troubles.iter_mut().for_each(&mut *visit);
        scenario.notes.iter_mut().for_each(&mut *visit);
        scenario.phases.iter_mut().for_each(|phase| visit(&mut phase.name));
        for window in &mut scenario.fault_windows {
            visit(&mut window.rule);
            visit(&mut window.kind);
        }
        for series in &mut scenario.series {
            visit(&mut series.name);
            visit(&mut series.unit);
            visit(&mut series.group);
        }
        for marker in &mut scenario.markers {
            visit(&mut marker.label);
            marker.guarantee.iter_mut().for_each(&mut *visit);
        }
    }
    for guarantee in &mut report.guarantees {
        visit(&mut guarantee.id);
        visit(&mut guarantee.statement);
        visit(&mut guarantee.bound);
        visit(&mut guarantee.bound_source);
        visit(&mut guarantee.why);
        visit(&mut guarantee.usual_fix);
        visit(&mut guarantee.blind_to);
        visit(&mut guarantee.section);
        guarantee.follows.iter_mut().for_each(&mut *visit);
    }
    for cell in &mut report.cells {
        visit(&mut cell.guarantee);
        visit(&mut cell.scenario);
        visit(&mut cell.of_what);
        visit(&mut cell.observed);
        visit(&mut cell.promised);
        cell.measures.iter_mut().for_each(|measure| visit(&mut measure.name));
        cell.strength.iter_mut().for_each(|strength| visit(&mut strength.name));
        if let Some(margin) = &mut cell.margin {
            visit(&mut margin.measure);
            visit(&mut margin.promised);
            visit(&mut margin.observed);
            visit(&mut margin.words);
        }
        cell.reason.iter_mut().for_each(&mut *visit);
        cell.advice.iter_mut().for_each(&mut *visit);
        visit(&mut cell.rerun);
        visit(&mut cell.check_next);
        for example in &mut cell.counter_examples {
            visit(&mut example.promised);
            visit(&mut example.observed);
            example.story.iter_mut().for_each(&mut *visit);
            example.context.iter_mut().for_each(&mut *visit);
            example.active_faults.iter_mut().for_each(&mut *visit);
        }
    }
    for untested in &mut report.not_tested {
        visit(&mut untested.id);
        visit(&mut untested.section);
        visit(&mut untested.reason);
    }
    if let Some(news) = &mut report.news {
        visit(&mut news.since);
        news.incomparable.iter_mut().for_each(&mut *visit);
        for change in &mut news.changes {
            visit(&mut change.scenario);
            change.guarantee.iter_mut().for_each(&mut *visit);
            visit(&mut change.words);
            visit(&mut change.rerun);
        }
    }
}

#[cfg(test)]
impl Report {
    /// A copy with a stranger's text before every text, to see what hostile text can do.
    pub(crate) fn with_every_text_after(&self, hostile: &str) -> Self {
        let mut copy = self.clone();
        each_text(&mut copy, &mut |text| text.insert_str(0, hostile));
        copy
    }
}
