//! What a load of clients was told, and what came of it: the figures that are printed in the end.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by kind.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn count(&mut self, kind: impl Into<String>) {
        *self.0.entry(kind.into()).or_default() += 1;
    }

    pub fn sum(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Tally) {
        for (kind, count) in other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        f.write_str(&parts.join(", "))
    }
}

/// The figures of one run, or of one client in it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Writes that the server said it had made.
    pub acknowledged: Tally,
    /// Requests that were sent and not answered, or answered by 503.
    pub in_doubt: Tally,
    /// What the requests in doubt turned out to have done.
    pub resolved: Tally,
    /// Acknowledged facts that were looked at again after a kill.
    pub checked: Tally,
    /// What must not be.
    pub violations: Vec<String>,
}

impl Ledger {
    pub fn add(&mut self, other: Ledger) {
        self.acknowledged.add(other.acknowledged);
        self.in_doubt.add(other.in_doubt);
        self.resolved.add(other.resolved);
        self.checked.add(other.checked);
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "acknowledged {}: {}", self.acknowledged.sum(), self.acknowledged)?;
        writeln!(f, "in doubt {}: {}", self.in_doubt.sum(), self.in_doubt)?;
        writeln!(f, "resolved {}: {}", self.resolved.sum(), self.resolved)?;
        writeln!(f, "checked {}: {}", self.checked.sum(), self.checked)?;
        write!(f, "violations {}", self.violations.len())?;
        self.violations.iter().take(10).try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}
