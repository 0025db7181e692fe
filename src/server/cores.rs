//! One thread a core, each with connections, timers and upstream pool of its own.

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{net::TcpStream, runtime, sync::mpsc, time};
use tokio_util::task::TaskTracker;

use super::{
    accept::accept,
    arrival::{Arrival, Cores, HandedOver},
    connection::Connection,
    control::Control,
    date,
    life::live,
    listen::Bound,
    service::AnswerService,
    settings::ServerSettings,
    sweep::{self, Registry},
    watch::{Patience, Watch},
};

thread_local! {
    static CORE: Cell<usize> = const { Cell::new(0) };
}

/// How long a drain looks for what has arrived already: connections to be accepted, then requests on
/// connections that would else be taken for idle.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(25);

/// Which core's thread this is, counted from 0; 0 on every other thread.
pub fn core_index() -> usize {
    CORE.get()
}

/// Servers that run.
#[derive(Debug)]
pub struct Running {
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// Waits until all is drained after [`Control::shut_down`]; blocks the thread.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a server thread panicked");
            }
        }
    }
}

/// Serves the listeners on `cores` threads until the control is told to shut down; they are closed
/// then.
///
/// `make` is called once for each connection and gives the service for its requests; a request with
/// a fault carries a [`super::HeadFault`] among its extensions and is to be refused with it.
///
/// # Errors
///
/// If a socket cannot be cloned or a thread not be started.
pub fn serve<M, S>(
    listeners: Vec<Bound>,
    cores: NonZeroUsize,
    settings: &Arc<ArcSwap<ServerSettings>>,
    make: &M,
    control: &Control,
) -> io::Result<Running>
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: AnswerService,
{
    let (cores, receivers) = Cores::new(cores.get());
    let mut threads = Vec::new();
    for (index, arrivals) in receivers.into_iter().enumerate() {
        let core = Core {
            index,
            cores: cores.clone(),
            settings: settings.clone(),
            control: control.clone(),
            registry: Arc::default(),
            open: TaskTracker::new(),
            make: make.clone(),
        };
        let listeners = listeners.iter().map(Bound::for_core).collect::<Result<Vec<_>, _>>()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            CORE.set(index);
            date::refresh();
            runtime.block_on(core.run(listeners, arrivals));
        };
        threads.push(Builder::new().name(format!("core-{index}")).spawn(run)?);
    }
    // The cores have their own. One left open here would take connections that nobody accepts.
    drop(listeners);
    Ok(Running { threads })
}

pub(super) struct Core<M> {
    index: usize,
    cores: Arc<Cores>,
    settings: Arc<ArcSwap<ServerSettings>>,
    pub(super) control: Control,
    registry: Arc<Registry>,
    open: TaskTracker,
    make: M,
}

impl<M, S> Core<M>
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: AnswerService,
{
    async fn run(
        self,
        listeners: Vec<std::net::TcpListener>,
        mut arrivals: mpsc::UnboundedReceiver<HandedOver>,
    ) {
        let core = Arc::new(self);
        let accepting: Vec<_> = listeners
            .into_iter()
            .map(|listener| tokio::spawn(accept(core.clone(), listener)))
            .collect();
        let sweeping = tokio::spawn(sweep_forever(core.registry.clone(), core.settings.clone()));
        loop {
            tokio::select! {
                () = core.control.draining() => break,
                Some(arrival) = arrivals.recv() => core.take_over(arrival),
            }
        }
        for task in accepting {
            if task.await.is_err() {
                tracing::error!(core = core.index, "accepting ended in a panic");
            }
        }
        arrivals.close();
        while let Some(arrival) = arrivals.recv().await {
            core.take_over(arrival);
        }
        core.drain().await;
        sweeping.abort();
    }

    async fn drain(&self) {
        // What has arrived but was not looked at yet would be taken for silence.
        time::sleep(LAST_LOOK).await;
        self.registry.drain();
        self.open.close();
        let grace = self.settings.load().limits.shutdown_grace;
        let drained = async {
            self.open.wait().await;
            self.control.exchanges().wait().await;
        };
        if time::timeout(grace, drained).await.is_err() {
            let open = self.open.len();
            tracing::warn!(core = self.index, open, "the grace is over, connections are cut off");
        }
    }

    /// Serves an accepted connection, here or on a core with less to do, unless there are too many.
    pub(super) fn let_in(&self, tcp: TcpStream, peer: SocketAddr) {
        let settings = self.settings.load_full();
        // Too many: closed by being dropped. An answer would cost what the limit protects.
        let Some(permit) = self.control.gate.admit(peer.ip(), &settings) else { return };
        // Each answer is one write, and waiting for another would only delay it.
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        let load = self.cores.take_place(self.index);
        let arrival = Arrival { tcp, peer, permit, settings, load };
        if arrival.load.index() == self.index {
            return self.start(arrival);
        }
        if let Some(returned) = arrival.leave().and_then(|arrival| self.cores.hand_over(arrival)) {
            self.take_over(returned);
        }
    }

    fn take_over(&self, arrival: HandedOver) {
        if let Some(arrival) = arrival.settle() {
            self.start(arrival);
        }
    }

    fn start(&self, arrival: Arrival<TcpStream>) {
        let limits = &arrival.settings.limits;
        let patience = Patience { head: limits.header_timeout, idle: limits.idle_timeout };
        let watch = Arc::new(Watch::new(patience));
        self.registry.add(&watch);
        self.open.spawn(live(arrival, watch, self.make.clone()));
    }
}

async fn sweep_forever(registry: Arc<Registry>, settings: Arc<ArcSwap<ServerSettings>>) {
    loop {
        let shortest = {
            let limits = &settings.load().limits;
            limits.header_timeout.min(limits.idle_timeout)
        };
        time::sleep(sweep::interval(shortest)).await;
        registry.sweep(time::Instant::now());
        date::refresh();
    }
}
