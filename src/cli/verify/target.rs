//! What captured requests are judged by: a provider's definition, or a configured route.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tokio_util::task::TaskTracker;

use super::Args;
use crate::{
    cli::secret_arg,
    clock::{Clock, UnixMs},
    config::{LoadOptions, Severity, lint::load_and_lint},
    gateway::{Gateway, Route, Surroundings},
    providers,
    telemetry::Telemetry,
    verify::{
        Credentials, Definition, KeyRing, Origin, PublicKey, RemoteKeys, Scheme, SchemeOptions,
        Secret, Takes, captured::Captured,
    },
};

/// What captured requests are judged by.
pub(super) enum Target {
    /// A built-in definition with secrets and keys of the command line.
    Provider {
        definition: Arc<Definition>,
        secrets: Vec<Secret>,
        /// Public keys of the command line, else those that the provider publishes.
        public_keys: Vec<PublicKey>,
        /// What the command line tells the scheme.
        expect: BTreeMap<String, String>,
    },
    /// A route of a configuration.
    Route(Arc<Route>),
}

/// The target as far as the engine is concerned.
pub(super) struct Engine {
    pub(super) definition: Arc<Definition>,
    pub(super) options: SchemeOptions,
    pub(super) scheme: Arc<Scheme>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) secrets: Vec<Secret>,
    pub(super) public_keys: Vec<PublicKey>,
}

impl Target {
    /// What the command line names.
    pub(super) fn of(args: &Args) -> Result<Self, String> {
        match (&args.provider, &args.route) {
            (Some(name), _) => {
                let definition =
                    providers::builtin(name).ok_or_else(|| crate::cli::providers::unknown(name))?;
                let secrets = args.secret.iter().map(|text| secret_arg::read(text));
                let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
                let said = args.expect.iter().filter_map(|text| text.split_once('='));
                // A scheme that does not sign the URL has no use for it.
                let url = args.url.as_deref().filter(|_| definition.expect.contains_key("url"));
                let url = url.map(|url| ("url", url));
                let expect = said.chain(url).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
                let public_keys = public_keys(&args.public_key, definition)?;
                are_fit(definition, &secrets, &args.public_key)?;
                if secrets.is_empty() && public_keys.is_empty() && needs_keys(definition) {
                    let message = "say what to verify with: --secret SECRET, or --public-key KEY";
                    return Err(message.to_owned());
                }
                let definition = Arc::clone(definition);
                Ok(Self::Provider { definition, secrets, public_keys, expect })
            }
            (None, Some(route)) => Self::route(&args.config.path()?, route),
            (None, None) => Err(
                "say what to judge by: --provider NAME with --secret SECRET or --public-key KEY, or \
                 -c FILE --route NAME"
                    .to_owned(),
            ),
        }
    }

    fn route(path: &Path, name: &str) -> Result<Self, String> {
        let clock = Clock::system();
        let loaded = load_and_lint(path, &LoadOptions::new(clock.unix()));
        let (loaded, _) = loaded.map_err(|problems| {
            let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
            let path = path.display();
            format!("{path} has {errors} error(s); `hookward check -c {path}` shows them")
        })?;
        let telemetry = Arc::new(Telemetry::new(clock.clone(), None));
        let around = Surroundings::new(clock, telemetry, TaskTracker::new());
        let gateway = Gateway::new(&loaded.config, around).map_err(|error| error.to_string())?;
        let snapshot = gateway.snapshot();
        let found = snapshot.routes.iter().find(|route| *route.name == *name);
        found.map(|route| Self::Route(Arc::clone(route))).ok_or_else(|| {
            let names: Vec<_> = snapshot.routes.iter().map(|route| &*route.name).collect();
            format!("there is no route \"{name}\"; there is {}", names.join(", "))
        })
    }

    /// The scheme and keys for one request.
    pub(super) fn engine(&self, request: &Captured) -> Result<Engine, String> {
        match self {
            Self::Route(route) => Ok(Engine {
                definition: Arc::clone(&route.definition),
                options: SchemeOptions { expect: route.expect.clone(), ..Default::default() },
                scheme: Arc::clone(&route.scheme),
                keys: Arc::clone(&route.keys),
                secrets: route.secrets.clone(),
                public_keys: route.public_keys.clone(),
            }),
            Self::Provider { definition, secrets, public_keys, expect } => {
                let mut expect = expect.clone();
                if definition.expect.contains_key("url") {
                    expect.entry("url".to_owned()).or_insert_with(|| request.url());
                }
                let options = SchemeOptions { expect, ..Default::default() };
                let scheme = Scheme::compile(definition, &options).map_err(|all| all.join("; "))?;
                let credentials = Credentials {
                    secrets: secrets.clone(),
                    public_keys: public_keys.clone(),
                    certificates: None,
                };
                let keys = KeyRing::build(&scheme, &credentials).map_err(|problems| {
                    let texts = problems.iter().map(|(_, text)| format!("the secret {text}"));
                    texts.collect::<Vec<_>>().join("; ")
                })?;
                Ok(Engine {
                    definition: Arc::clone(definition),
                    options,
                    scheme: Arc::new(scheme),
                    keys: Arc::new(keys),
                    secrets: secrets.clone(),
                    public_keys: public_keys.clone(),
                })
            }
        }
    }

    /// When a request is judged.
    pub(super) fn at(args: &Args, request: &Captured) -> UnixMs {
        let said = args.at.map(UnixMs::from_secs);
        said.or(request.at).unwrap_or_else(|| Clock::system().unix())
    }
}

/// The keys of the command line, else those that the provider publishes.
fn public_keys(said: &[String], definition: &Definition) -> Result<Vec<PublicKey>, String> {
    if !said.is_empty() {
        return said.iter().map(|text| secret_arg::read_public(text)).collect();
    }
    let mut cell = |url: &str| RemoteKeys::new(Origin::Jwks { url: url.into() });
    let published = definition.public_keys.iter();
    published
        .map(|key| PublicKey::published(key, &mut cell))
        .collect::<Result<_, _>>()
        .map_err(|why| format!("the key that {} publishes {why}", definition.name))
}

/// Whether the provider proves anything by a key that it does not send along.
fn needs_keys(definition: &Arc<Definition>) -> bool {
    let takes = takes(definition);
    takes.is_none_or(|takes| takes.secrets || takes.public_keys && !takes.certificates)
}

/// Says of keys that the provider's scheme has no use for.
fn are_fit(
    definition: &Arc<Definition>,
    secrets: &[Secret],
    keys: &[String],
) -> Result<(), String> {
    let Some(takes) = takes(definition) else { return Ok(()) };
    let name = &definition.name;
    let has_secrets = !secrets.is_empty() && !takes.secrets;
    let has_keys = !keys.is_empty() && (!takes.public_keys || takes.certificates);
    match (has_secrets, has_keys) {
        (true, _) if takes.public_keys && !takes.certificates => {
            Err(format!("{name} takes --public-key, not --secret"))
        }
        (true, _) => Err(format!("{name} has no use for --secret")),
        (_, true) if takes.secrets => Err(format!("{name} takes --secret, not --public-key")),
        (_, true) => Err(format!("{name} has no use for --public-key")),
        _ => Ok(()),
    }
}

/// What the provider's scheme is verified with; `None` if that depends on what it is told.
fn takes(definition: &Arc<Definition>) -> Option<Takes> {
    Scheme::compile(definition, &SchemeOptions::default()).ok().map(|scheme| scheme.takes())
}
