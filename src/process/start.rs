//! From a file to a gateway that serves.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    config::{
        self, Problem,
        lint::load_and_lint,
        model::{self, Answers, LogFormat},
    },
    gateway::{BuildError, Gateway, Surroundings},
    net::tls::TlsError,
    pairing::Pairs,
    server::{self, BindError, Bound, Control, ServerSettings},
    telemetry::{
        self, Telemetry,
        admin::{self, Admin, Readiness, State},
        metrics::Gauges,
    },
};

use super::{Current, Inner, Options, Process, service::Serve, signals::Signals, watch};

/// How often expired replay entries of idle routes are dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How many warnings about the configuration are logged at a start or reload.
const MAX_WARNINGS: usize = 20;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has errors.
    #[error("the configuration has errors:\n{}", config::listed(.0))]
    Config(Vec<Problem>),
    /// A part of the configuration cannot run.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Log(#[from] telemetry::log::LogError),
    /// The audit file cannot be opened.
    #[error("cannot open the audit file: {0}")]
    Audit(io::Error),
    /// The system refuses a thread or a socket.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

impl Process {
    /// Starts a gateway; it serves when this returns.
    ///
    /// # Errors
    ///
    /// If anything of the configuration cannot be had exactly as it is written.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let (loaded, remarks) =
            load_and_lint(&options.path, &options.load()).map_err(StartError::Config)?;
        let mut config = loaded.config;
        if options.dev {
            confine(&mut config);
        }
        let level = if options.log { Some(telemetry::log::install(&config.log)?) } else { None };
        log_remarks(&remarks);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("control")
            .enable_all()
            .build()?;
        // Whoever sees it listen may send a signal: it must not kill the process then.
        let catch = || Signals::catch(runtime.handle());
        let signals = options.signals.then(catch).transpose()?;
        let telemetry = Arc::new(Telemetry::new(options.clock.clone(), options.observer.clone()));
        let settings =
            Arc::new(ArcSwap::from_pointee(ServerSettings::new(&config.server, &options.clock)?));
        let control = Control::new();
        let gateway = Gateway::new(
            &config,
            Surroundings {
                clock: options.clock.clone(),
                telemetry: Arc::clone(&telemetry),
                exchanges: control.exchanges().clone(),
                resolver: options.resolver.clone(),
            },
        )?;
        if let Some(sink) = &config.log.audit {
            let sink = telemetry::audit::open(sink).map_err(StartError::Audit)?;
            telemetry.audit_to(Some(sink)).map_err(StartError::Audit)?;
        }
        read_gauges(&telemetry, &gateway, &control);
        let listeners = Bound::all(&config.server.listen)?;
        let readiness = Arc::new(Readiness::default());
        let admin = match &config.admin {
            Some(admin) => serve_admin(admin, &readiness, &gateway, &runtime)?,
            None => None,
        };
        let make = {
            let gateway = Arc::clone(&gateway);
            move |connection: Arc<server::Connection>| Serve::new(&gateway, &connection)
        };
        let addresses: Vec<_> = listeners.iter().map(Bound::address).collect();
        let servers = server::serve(listeners, options.cores, &settings, &make, &control)?;
        gateway.spawn_health(runtime.handle());
        gateway.spawn_fetching(runtime.handle());
        let watched = options.watch;
        let inner = Arc::new(Inner {
            options,
            gateway,
            settings,
            telemetry,
            readiness,
            control,
            level,
            current: Mutex::new(Current {
                server: config.server,
                admin: config.admin,
                files: config.files,
            }),
        });
        inner.readiness.set(State::Ready);
        runtime.spawn(sweep(Arc::clone(&inner)));
        if watched {
            runtime.spawn(watch::watch(Arc::clone(&inner), runtime.handle().clone()));
        }
        for address in &addresses {
            tracing::info!(%address, "listening");
        }
        Ok(Self { inner, servers, runtime, signals, addresses, admin })
    }
}

/// `--dev`: nobody but this machine, refusals that say why, and a log for people.
pub(super) fn confine(config: &mut model::Config) {
    config.server.answers = Answers::Codes;
    config.log.format = LogFormat::Text;
    for address in &mut config.server.listen {
        if !crate::net::canonical(address.ip()).is_loopback() {
            let loopback = match address.ip() {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            };
            address.set_ip(loopback);
        }
    }
}

/// What `check` would warn about is worth a line at every start and reload.
pub(super) fn log_remarks(remarks: &[Problem]) {
    let warnings = || remarks.iter().filter(|r| r.severity == config::Severity::Warning);
    for remark in warnings().take(MAX_WARNINGS) {
        let at = remark.at.as_ref().map(|at| format!("{}:{}", at.file.display(), at.line));
        tracing::warn!(at, "{}", remark.message);
    }
    let more = warnings().count().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        tracing::warn!(more, "more warnings; `hookward check` shows them all");
    }
}

fn read_gauges(telemetry: &Telemetry, gateway: &Arc<Gateway>, control: &Control) {
    let http2 = control.clone();
    let (connections, bodies) = (control.clone(), Arc::clone(&gateway.shared().bodies));
    telemetry.metrics().read_from(Gauges {
        replay: Arc::clone(gateway.replay()),
        fetching: Arc::clone(gateway.fetching()),
        connections: Box::new(move || connections.connections() as u64),
        http2_errors: Box::new(move || http2.http2_errors()),
        body_memory_bytes: Box::new(move || bodies.used() as u64),
    });
}

/// Starts the admin listener and the probes; the address of the former.
fn serve_admin(
    config: &model::Admin,
    readiness: &Arc<Readiness>,
    gateway: &Arc<Gateway>,
    runtime: &tokio::runtime::Runtime,
) -> Result<Option<SocketAddr>, StartError> {
    let _entered = runtime.enter();
    let telemetry = &gateway.shared().telemetry;
    let listen = |address: SocketAddr| -> Result<_, StartError> {
        let bound = Bound::new(address)?;
        Ok((bound.address(), bound.into_tokio()?))
    };
    let mut address = None;
    if let Some(wanted) = config.listen {
        let (at, listener) = listen(wanted)?;
        let hosts = config.hosts.clone();
        let admin = Admin::guarded(Arc::clone(telemetry), Arc::clone(readiness), hosts)
            .with_pairs(Arc::clone(gateway) as Arc<dyn Pairs>);
        runtime.spawn(admin::serve(listener, Arc::new(admin)));
        address = Some(at);
    }
    for probe in &config.probes {
        let (_, listener) = listen(*probe)?;
        let probes = Admin::probes(Arc::clone(telemetry), Arc::clone(readiness));
        runtime.spawn(admin::serve(listener, Arc::new(probes)));
    }
    Ok(address)
}

async fn sweep(inner: Arc<Inner>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        inner.gateway.replay().sweep(inner.options.clock.mono());
    }
}
