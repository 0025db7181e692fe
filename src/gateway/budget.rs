//! The memory that all buffered bodies share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many bytes of bodies are held at this moment, and how many may be.
#[derive(Debug, Default)]
pub struct BodyBudget {
    used: AtomicUsize,
    max: AtomicUsize,
}

/// What one request holds of the budget; given back when dropped.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<BodyBudget>,
    bytes: usize,
}

impl BodyBudget {
    /// Changes the bound, which is nothing at first; what is held stays held.
    pub fn resize(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Bytes held at this moment.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Begins a charge of nothing.
    pub fn charge(self: &Arc<Self>) -> Charge {
        Charge { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Charge {
    /// Adds bytes that have arrived; `false` if the budget does not have them, and then nothing is
    /// added.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.max.load(Ordering::Relaxed) {
            self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_everything_comes_back() {
        let budget = Arc::new(BodyBudget::default());
        budget.resize(100);
        let mut a = budget.charge();
        let mut b = budget.charge();
        assert!(a.grow(60) && b.grow(40));
        assert!(!b.grow(1));
        drop(a);
        assert!(b.grow(60));
        drop(b);
        assert_eq!(budget.used(), 0);
    }
}
