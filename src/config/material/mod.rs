//! Between the first and the second stage: everything that the tables name and that is not in
//! them. Secrets, certificates, schemas and address lists are read here, so that the second stage
//! is pure.

mod certificate;
mod list;
mod public_key;
mod schema;
mod secret;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) use list::ListFile;

use super::{
    disk::Disk,
    load::LoadOptions,
    model::{Certificate, SigningKey},
    problems::Problems,
    quoted,
    raw::{Provider, Raw, Route},
};
use crate::{clock::UnixMs, schema::Schema, verify};

/// Everything that was read.
pub(super) struct Material {
    pub(super) certificates: Vec<Certificate>,
    pub(super) lists: BTreeMap<String, ListFile>,
    /// `[fetch]`'s authorities.
    pub(super) fetch_ca_pem: Option<Vec<u8>>,
    pub(super) routes: BTreeMap<String, RouteMaterial>,
    pub(super) remotes: Remotes,
}

/// Sets of keys that are fetched, by URL: routes that name the same share it.
pub(super) type Remotes = HashMap<String, Arc<verify::RemoteKeys>>;

/// What belongs to one route.
#[derive(Default)]
pub(super) struct RouteMaterial {
    pub(super) secrets: Vec<verify::Secret>,
    pub(super) public_keys: Vec<verify::PublicKey>,
    /// Of a provider that hands its key over: secrets that are not there yet.
    pub(super) vacant: Vec<Vacant>,
    pub(super) sign: Vec<Arc<SigningKey>>,
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) schemas: BTreeMap<String, Arc<Schema>>,
    pub(super) ca_pem: Option<Vec<u8>>,
}

/// A secret whose file holds none yet: the provider will hand it over.
pub(super) struct Vacant {
    /// Its number in the list, counted from 0.
    pub(super) number: usize,
    pub(super) file: PathBuf,
    pub(super) id: Arc<str>,
    pub(super) id_is_explicit: bool,
    pub(super) expires: Option<UnixMs>,
}

/// Reads everything; what cannot be read is a problem and absent.
pub(super) fn gather(
    raw: &Raw,
    disk: &Disk,
    options: &LoadOptions,
    problems: &Problems<'_>,
) -> Material {
    let mut gatherer = Gatherer {
        disk,
        options,
        problems,
        providers: &raw.providers,
        schemas: HashMap::new(),
        remotes: Remotes::new(),
    };
    let tls = raw.server.iter().flat_map(|server| server.tls.iter().flatten()).enumerate();
    let certificates = tls.filter_map(|(number, tls)| gatherer.certificate(number, tls)).collect();
    let lists = raw.ip_lists.iter().map(|(name, list)| (name.clone(), gatherer.list(name, list)));
    let lists = lists.collect();
    let routes = raw.routes.iter().map(|(name, route)| (name.clone(), gatherer.route(name, route)));
    let routes = routes.collect();
    let ca = raw.fetch.as_ref().and_then(|fetch| fetch.ca.as_deref());
    let fetch_ca_pem = ca.and_then(|path| gatherer.authorities(format_args!("fetch.ca"), path));
    Material { certificates, lists, fetch_ca_pem, routes, remotes: gatherer.remotes }
}

struct Gatherer<'a> {
    disk: &'a Disk,
    options: &'a LoadOptions,
    problems: &'a Problems<'a>,
    providers: &'a BTreeMap<String, Provider>,
    /// By path; `None`: it was complained about.
    schemas: HashMap<PathBuf, Option<Arc<Schema>>>,
    remotes: Remotes,
}

impl Gatherer<'_> {
    fn route(&mut self, name: &str, route: &Route) -> RouteMaterial {
        let name = quoted(name);
        let body = route.body.as_ref();
        let table = route.upstream.as_ref().map(|upstream| &upstream.table);
        let secrets = route.secrets.as_deref().unwrap_or_default();
        let public_keys = route.public_keys.as_deref().unwrap_or_default();
        let sign = table.and_then(|table| table.sign.as_ref()?.secrets.as_deref());
        let sign_key = format_args!("routes.{name}.upstream.sign.secrets").to_string();
        let mut vacant = Vec::new();
        let provider = route.provider.as_deref();
        let provider = provider
            .and_then(|name| self.providers.get(name).or_else(|| crate::providers::raw(name)));
        let captures = provider.is_some_and(Provider::captures_key);
        let list = format_args!("routes.{name}.secrets").to_string();
        self.all_expired(format_args!("routes.{name}.secrets"), secrets);
        RouteMaterial {
            secrets: self.secrets(format_args!("{list}"), secrets, captures.then_some(&mut vacant)),
            vacant,
            public_keys: self.public_keys(format_args!("routes.{name}.public_keys"), public_keys),
            sign: self.signing_keys(&sign_key, sign.unwrap_or_default()),
            schema: body.and_then(|body| {
                self.schema(format_args!("routes.{name}.body.schema"), body.schema.as_deref()?)
            }),
            schemas: body
                .iter()
                .flat_map(|body| body.schemas.iter().flatten())
                .filter_map(|(kind, path)| {
                    let key = quoted(kind);
                    let key = format_args!("routes.{name}.body.schemas.{key}").to_string();
                    Some((kind.clone(), self.schema(format_args!("{key}"), path)?))
                })
                .collect(),
            ca_pem: table
                .and_then(|table| table.ca.as_deref())
                .and_then(|path| self.authorities(format_args!("routes.{name}.upstream.ca"), path)),
        }
    }

    /// Reads a file; one that cannot be read is an error of the key that names it.
    fn file(&self, key: fmt::Arguments<'_>, path: &Path) -> Option<Vec<u8>> {
        match self.disk.read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let path = self.disk.resolve(path);
                self.problems.error(key, format_args!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }
}
