//! From a route's checked `upstream` to its running one.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderName, StatusCode, Uri, uri::PathAndQuery};
use smallvec::SmallVec;
use tokio::{runtime::Handle, task::JoinSet, time::Instant};

use super::{
    connect::{Origin, Settings},
    headers::Rules,
    health::{Check, Standing, Vitals},
    origins::Origins,
    path::PathRule,
    resign::Signer,
    tls::TlsContext,
};
use crate::config::model::{self, Target};

/// What a running upstream is made of.
pub struct Build<'a> {
    /// The route's `upstream`.
    pub settings: &'a model::Upstream,
    /// `Hookward-Route`.
    pub route: &'a str,
    /// `Hookward-Provider`.
    pub provider: &'a str,
    /// The headers that the route's checks look at (scheme and filters): a sender's `Connection`
    /// cannot name them away.
    pub protected: Vec<HeaderName>,
    /// Shared by all upstreams of a configuration.
    pub tls: &'a TlsContext,
    /// Shared by all upstreams of all configurations.
    pub origins: &'a Origins,
    /// The same route's upstream before a reload: what is known of its receivers is kept where
    /// their settings are the same.
    pub previous: Option<&'a Upstream>,
}

/// Why an upstream cannot run. Reads well after "upstream: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Nothing to forward to.
    #[error("there is no URL")]
    NoTarget,
    /// Neither `http://` nor `https://` with a host.
    #[error("a URL must be http:// or https:// with a host")]
    Scheme,
    /// Credentials in a URL are shown in too many places.
    #[error("a URL must not hold a user name or password; set a header in `headers` instead")]
    UserInfo,
    /// The host of an `https://` URL is not a name that a certificate can be for.
    #[error("the host of an https:// URL is no name that a certificate can be for")]
    ServerName,
    /// `health.path` is not a path.
    #[error("the path of the health check is not a path")]
    HealthPath,
    /// The configured certificate authorities cannot be used.
    #[error("the certificate authorities cannot be used: {0}")]
    Authorities(String),
    /// The system's certificate authorities cannot be used.
    #[error("the system's certificate authorities cannot be used: {0}")]
    SystemAuthorities(String),
}

/// The running upstream of one route.
pub struct Upstream {
    pub(super) places: Vec<Place>,
    pub(super) timeout: Duration,
    pub(super) rules: Rules,
    pub(super) signer: Option<Signer>,
    pub(super) map_status: BTreeMap<u16, StatusCode>,
    pub(super) health: Option<Health>,
    /// Ended when the upstream is dropped.
    checks: OnceLock<JoinSet<()>>,
}

/// One receiver.
pub(super) struct Place {
    pub(super) kind: PlaceKind,
    pub(super) path: PathRule,
    pub(super) vitals: Arc<Vitals>,
}

/// Where a receiver is.
pub(super) enum PlaceKind {
    Echo,
    Remote(Arc<Origin>),
}

/// The health check that all receivers of an upstream share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    path: PathAndQuery,
    pub(super) interval: Duration,
}

/// The receivers to be asked, in order.
pub(super) type Order<'a> = SmallVec<[&'a Place; 4]>;

impl Upstream {
    /// Makes the running upstream of a route. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// A URL, health path or certificate authority that cannot be used; see [`BuildError`].
    pub fn build(build: Build<'_>) -> Result<Self, BuildError> {
        let Build { settings, route, provider, protected, tls, origins, previous } = build;
        let health = settings.health.as_ref().map(Health::new).transpose()?;
        let known = Known { previous, same_health: previous.is_some_and(|p| p.health == health) };
        let place = |target| Place::new(target, settings, (tls, origins), &known);
        let places = settings.targets.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            return Err(BuildError::NoTarget);
        }
        let signer = Signer::new(&settings.sign);
        let rules = Rules::new(route, provider, &settings.headers, protected, signer.is_some());
        Ok(Self {
            places,
            timeout: settings.timeout.min(LONGEST),
            rules,
            signer,
            map_status: settings.map_status.clone(),
            health,
            checks: OnceLock::new(),
        })
    }

    /// Starts the health checks, if any are configured; they end with this upstream. Calling it
    /// again does nothing.
    pub fn spawn_health(&self, runtime: &Handle) {
        let Some(health) = &self.health else { return };
        self.checks.get_or_init(|| {
            let mut tasks = JoinSet::new();
            for place in &self.places {
                let PlaceKind::Remote(origin) = &place.kind else { continue };
                let check = Check {
                    origin: origin.clone(),
                    vitals: place.vitals.clone(),
                    path: health.path.clone(),
                    interval: health.interval,
                    timeout: health.interval.min(self.timeout),
                };
                tasks.spawn_on(check.run(), runtime);
            }
            tasks
        });
    }

    /// In order of preference, those that could not be reached lately after the others, those that
    /// fail their health check not at all.
    pub(super) fn order(&self, now: Instant) -> Order<'_> {
        let standing = |place: &Place| place.vitals.standing(now);
        let with = |wanted| self.places.iter().filter(move |place| standing(place) == wanted);
        match self.places.as_slice() {
            [only] if standing(only) != Standing::Down => SmallVec::from_iter([only]),
            _ => with(Standing::Ready).chain(with(Standing::Resting)).collect(),
        }
    }
}

/// What is known of receivers from before a reload.
struct Known<'a> {
    previous: Option<&'a Upstream>,
    same_health: bool,
}

impl Known<'_> {
    fn vitals(&self, origin: &Arc<Origin>) -> Option<Arc<Vitals>> {
        let places = &self.previous.filter(|_| self.same_health)?.places;
        places.iter().find_map(|place| match &place.kind {
            PlaceKind::Remote(known) if Arc::ptr_eq(known, origin) => Some(place.vitals.clone()),
            PlaceKind::Remote(_) | PlaceKind::Echo => None,
        })
    }
}

impl Place {
    fn new(
        target: &Target,
        shared: &model::Upstream,
        (tls, origins): (&TlsContext, &Origins),
        known: &Known<'_>,
    ) -> Result<Self, BuildError> {
        let url = match target {
            Target::Echo => {
                let kind = PlaceKind::Echo;
                return Ok(Self { kind, path: PathRule::keep(), vitals: Vitals::new() });
            }
            Target::Url(url) => url,
        };
        let settings = Settings::new(url, shared)?;
        let origin = origins.get(settings, |settings| Origin::new(url, settings, tls))?;
        let vitals = known.vitals(&origin).unwrap_or_else(Vitals::new);
        Ok(Self { kind: PlaceKind::Remote(origin), path: PathRule::new(url), vitals })
    }
}

impl Health {
    fn new(settings: &model::Health) -> Result<Self, BuildError> {
        // Parsed as a request target, so that `//host` or a full URL is not taken for a path.
        let path = settings.path.parse::<Uri>().ok().filter(|uri| uri.authority().is_none());
        let path = path.and_then(|uri| uri.path_and_query().cloned());
        let path = path.filter(|path| path.as_str().starts_with('/'));
        let path = path.ok_or(BuildError::HealthPath)?;
        Ok(Self { path, interval: settings.interval.clamp(SHORTEST_INTERVAL, LONGEST) })
    }
}

/// Longer than anybody waits, and short enough to be added to any time.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// No receiver is asked for its health more often.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("places", &self.places).finish_non_exhaustive()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PlaceKind::Echo => f.write_str("builtin:echo"),
            PlaceKind::Remote(origin) => f.write_str(origin.name()),
        }
    }
}
