//! Limits by route name.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use governor::clock::DefaultClock;

use super::{Direct, Failures, Keyed};
use crate::config::model::{Quota, RateLimits};

/// The limits of one route; `None` where the route has no such limit.
#[derive(Clone, Debug, Default)]
pub struct RouteLimits {
    /// Every request of a source.
    pub per_source: Option<Arc<Keyed>>,
    /// Failed authentications of a source.
    pub failures: Option<Arc<Failures>>,
    /// What was authenticated and is no replay.
    pub per_route: Option<Arc<Direct>>,
}

/// The limits of all routes. One for the life of the process.
#[derive(Debug)]
pub struct Registry {
    max_sources: u64,
    /// One for all: making a clock asks the processor what it can do, which a virtual machine
    /// answers in microseconds.
    clock: DefaultClock,
    routes: Mutex<BTreeMap<String, (RateLimits, RouteLimits)>>,
}

impl Registry {
    /// An empty one. Each limit by source keeps `max_sources` of them, and never more than twice as
    /// many: about 40 bytes each.
    pub fn new(max_sources: u64) -> Self {
        Self { max_sources, clock: DefaultClock::default(), routes: Mutex::default() }
    }

    /// The limits of a route. A budget whose quota is what it was is the same budget.
    pub fn route(&self, name: &str, wanted: &RateLimits) -> RouteLimits {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, limits) = routes.remove(name).unwrap_or_default();
        let clock = || self.clock.clone();
        let limits = RouteLimits {
            per_source: kept(before.per_source, wanted.per_source, limits.per_source, |quota| {
                Keyed::with_clock(quota, self.max_sources, clock())
            }),
            failures: kept(before.failures, wanted.failures, limits.failures, |quota| {
                Failures::with_clock(quota, self.max_sources, clock())
            }),
            per_route: kept(before.per_route, wanted.per_route, limits.per_route, |quota| {
                Direct::with_clock(quota, clock())
            }),
        };
        routes.insert(name.to_owned(), (wanted.clone(), limits.clone()));
        limits
    }

    /// Forgets the routes that are no more.
    pub fn retain(&self, there: impl Fn(&str) -> bool) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|name, _| there(name));
    }
}

fn kept<L>(
    before: Option<Quota>,
    wanted: Option<Quota>,
    limit: Option<Arc<L>>,
    make: impl FnOnce(Quota) -> L,
) -> Option<Arc<L>> {
    let quota = wanted?;
    limit.filter(|_| before == wanted).or_else(|| Some(Arc::new(make(quota))))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::limit::quota::quota;

    #[test]
    fn a_reload_keeps_the_budgets_whose_quota_is_the_same() {
        let registry = Registry::new(100);
        let mut wanted = RateLimits {
            per_source: Some(quota(1, 3600, 1)),
            failures: Some(quota(1, 3600, 1)),
            per_route: Some(quota(1, 3600, 1)),
        };
        let source = IpAddr::from([192, 0, 2, 1]).into();
        let first = registry.route("r", &wanted);
        assert!(first.per_source.as_ref().unwrap().check(source).is_ok());
        assert!(first.per_route.as_ref().unwrap().check().is_ok());
        first.failures.as_ref().unwrap().charge(source);

        wanted.per_route = Some(quota(2, 3600, 1));
        let second = registry.route("r", &wanted);
        assert!(second.per_source.unwrap().check(source).is_err());
        assert!(second.failures.unwrap().check(source).is_err());
        assert!(second.per_route.unwrap().check().is_ok());

        let other = registry.route("other", &wanted);
        assert!(other.per_source.unwrap().check(source).is_ok());

        registry.retain(|name| name == "other");
        wanted.failures = None;
        let back = registry.route("r", &wanted);
        assert!(back.per_source.unwrap().check(source).is_ok());
        assert!(back.failures.is_none());
    }
}
