//! The running snapshot: routes with their schemes, keys, limiters and upstreams.

/// A running route.
#[derive(Debug)]
pub struct Route {}
