//! Rate limits: governor, in maps of bounded size.
//!
//! Three kinds, as `[routes.X.rate_limit]` has them: per source for every request
//! ([`Keyed`]), per source for failed authentications ([`Failures`]), and per route
//! ([`Direct`]). A source is an address; of IPv6 its /64, which one sender has whole.
//!
//! Sources are what strangers choose, so their map is bounded and drops those that were not seen for
//! longest when it is full. A source that was dropped starts with a fresh bucket: whoever commands
//! more sources than the map holds is limited by nothing here, and by nothing anywhere that counts
//! by source.
//!
//! Budgets survive a reload that leaves their quota as it was.

mod direct;
mod failures;
mod keyed;
mod quota;
mod recent;
mod registry;
mod source;

pub use direct::Direct;
pub use failures::Failures;
pub use keyed::Keyed;
pub use registry::{Registry, RouteLimits};
pub use source::Source;

/// Over a limit: how many whole seconds to wait, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("over the limit for {0} s more")]
pub struct RetryAfterSecs(pub u32);
