//! Starting servers, running bursts, keeping what was measured.

use std::{
    cell::{Cell, RefCell},
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    load::{Outcome, Plan, Reuse, Until},
    options::Options,
    peers::{Peer, Site, TlsFiles},
    process::{Placement, Server, find},
    race::Contender,
};

/// What all scenarios share.
#[derive(Debug)]
pub struct Bench {
    /// What was asked for.
    pub options: Options,
    program: String,
    folder: PathBuf,
    started: Cell<u32>,
    runs: Cell<u64>,
    /// Seconds that gateways waited for their CPU, and seconds in all.
    waits: Cell<(f64, f64)>,
    faults: RefCell<Vec<String>>,
}

/// How a gateway is placed.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Where it forwards to.
    pub receiver: &'a Server,
    /// Whether it ends TLS.
    pub tls: bool,
    /// Whether it has two cores instead of one.
    pub two_cores: bool,
    /// Whether it runs with real-time scheduling.
    pub realtime: bool,
}

impl<'a> Setup<'a> {
    /// One core, no TLS.
    pub fn plain(receiver: &'a Server) -> Self {
        Self { receiver, tls: false, two_cores: false, realtime: false }
    }
}

impl Bench {
    /// Makes a folder for what the gateways need.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::Spawn)?;
        let name = format!("hookward-compare-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
        let program = program.to_string_lossy().into_owned();
        let (started, runs, waits) = (Cell::default(), Cell::default(), Cell::default());
        let faults = RefCell::default();
        Ok(Self { options, program, folder, started, runs, waits, faults })
    }

    /// Starts a receiver; `verify` makes it judge every body.
    pub fn receiver(&self, verify: bool, realtime: bool) -> Result<Server, Failure> {
        let address = free_address()?;
        let mut arguments = vec!["upstream".to_owned(), address.to_string()];
        if verify {
            arguments.push("--verify".into());
        }
        let placement = Placement { cpus: &self.options.load_cpus, realtime };
        let command = placement.command(&self.program, &arguments);
        Server::start(command, address, &self.folder.join("upstream.log"))
    }

    /// Starts a gateway.
    pub fn start(&self, peer: &dyn Peer, setup: Setup<'_>) -> Result<Server, Failure> {
        let number = self.started.replace(self.started.get() + 1);
        let folder = self.folder.join(number.to_string());
        fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
        let site = Site {
            listen: free_address()?,
            upstream: setup.receiver.address(),
            folder: folder.to_string_lossy().into_owned(),
            cores: if setup.two_cores { 2 } else { 1 },
            tls: if setup.tls { Some(self.certificate()?) } else { None },
        };
        let command = peer.command(&site);
        let (name, content) = &command.file;
        let file = folder.join(name);
        fs::write(&file, content).map_err(Failure::file(&file))?;
        let program = match command.program.contains('/') {
            true if Path::new(&command.program).is_file() => command.program,
            true => return Err(Failure::Missing(command.program)),
            false => find(&command.program)?,
        };
        let Options { gateway_cpus, two_cpus, .. } = &self.options;
        let cpus = if setup.two_cores { two_cpus } else { gateway_cpus };
        let placement = Placement { cpus, realtime: setup.realtime };
        let command = placement.command(&program, &command.arguments);
        Server::start(command, site.listen, &folder.join("log"))
    }

    /// One run of the load generator against a gateway. Answers other than the contender's are
    /// faults, which are reported at the end.
    pub fn run(&self, contender: &Contender<'_>) -> Result<Outcome, Failure> {
        let mut plan = contender.plan.clone();
        if plan.first_id == 0 {
            plan.first_id = self.fresh_ids();
        }
        let json =
            serde_json::to_string(&plan).map_err(|error| Failure::Load(error.to_string()))?;
        let realtime = contender.realtime;
        let placement = Placement { cpus: &self.options.load_cpus, realtime };
        let mut command = placement.command(&self.program, &["load".into(), json]);
        let output = command.output().map_err(Failure::Spawn)?;
        let outcome: Result<Outcome, _> = serde_json::from_slice(&output.stdout);
        let outcome = outcome.map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            Failure::Load(format!("{}: {}", contender.name, said.trim()))
        })?;
        let (waited, all) = self.waits.get();
        let waited = waited + outcome.usage.wait_ns as f64 / 1e9;
        self.waits.set((waited, all + outcome.seconds));
        let wanted = contender.status;
        let others = outcome.statuses.iter().filter(|(status, _)| **status != wanted);
        let mut faults = self.faults.borrow_mut();
        faults.extend(others.map(|(status, count)| {
            format!("{}: {count} answers {status}, not {wanted}", contender.name)
        }));
        if outcome.broken > 0 {
            faults.push(format!("{}: {} broken connections", contender.name, outcome.broken));
        }
        Ok(outcome)
    }

    /// Ids that no run had before: as many as a run can use.
    pub fn fresh_ids(&self) -> u64 {
        self.runs.set(self.runs.get() + 1);
        self.runs.get() << 32
    }

    /// Notes that a gateway did something wrong.
    pub fn fault(&self, what: String) {
        self.faults.borrow_mut().push(what);
    }

    /// The part of the time so far in which gateways were ready to run and others had their CPU:
    /// near 0 on a quiet machine, and the higher, the less the figures are worth.
    pub fn disturbed(&self) -> f64 {
        let (waited, all) = self.waits.get();
        if all > 0.0 { waited / all } else { 0.0 }
    }

    /// What went wrong so far, each once.
    ///
    /// # Errors
    ///
    /// Anything did.
    pub fn verdict(&self) -> Result<(), Failure> {
        let mut faults = self.faults.take();
        faults.dedup();
        if faults.is_empty() {
            return Ok(());
        }
        Err(Failure::Wrong(faults.iter().map(|fault| format!("\n  {fault}")).collect()))
    }

    /// The plan of a burst against this server, with everything as asked for.
    pub fn burst(&self, server: &Server) -> Plan {
        let Options { burst, warmup, connections, size, .. } = self.options;
        let ms = |seconds: f64| (seconds * 1e3) as u64;
        Plan {
            target: server.address(),
            watch: server.id(),
            connections,
            reuse: Reuse::Always,
            rate: None,
            until: Until::Window { warmup_ms: ms(warmup), measured_ms: ms(burst) },
            first_id: 0,
            size,
            routes: 1,
            secret: 0,
            forged: false,
            certificate: None,
            hybrid: false,
        }
    }

    /// The certificate of all gateways, in PEM.
    pub fn certificate_pem(&self) -> Result<String, Failure> {
        let file = self.certificate()?.certificate;
        fs::read_to_string(&file).map_err(Failure::file(Path::new(&file)))
    }

    fn certificate(&self) -> Result<TlsFiles, Failure> {
        let path = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        let files = TlsFiles {
            certificate: path("cert.pem"),
            key: path("key.pem"),
            both: path("both.pem"),
        };
        if !Path::new(&files.both).exists() {
            let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
            let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
            let both = format!("{certificate}{key}");
            for (file, text) in
                [(&files.certificate, &certificate), (&files.key, &key), (&files.both, &both)]
            {
                fs::write(file, text).map_err(Failure::file(Path::new(file)))?;
            }
        }
        Ok(files)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nothing depends on it, and every run has a folder of its own.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A port that nobody has at the moment.
fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::Spawn)?;
    listener.local_addr().map_err(Failure::Spawn)
}
