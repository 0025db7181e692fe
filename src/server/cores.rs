//! One thread a core, each with connections, timers and upstream pool of its own.

use std::{
    cell::Cell,
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    thread::{Builder, JoinHandle},
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::{body::Incoming, service::Service};
use tokio::{net::TcpStream, runtime, sync::mpsc, time};
use tokio_util::task::TaskTracker;

use super::{
    accept::accept,
    connection::Connection,
    control::Control,
    gate::Permit,
    http1, http2,
    listen::Bound,
    opening,
    settings::ServerSettings,
    socket::Socket,
    sweep::{self, Registry},
    watch::{Patience, Phase, Watch},
};
use crate::body::AnswerBody;

thread_local! {
    static CORE: Cell<usize> = const { Cell::new(0) };
}

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

/// Serves the listeners on `cores` threads until the control is told to shut down.
///
/// `make` is called once for each connection and gives the service for its requests; a request with
/// a fault carries a [`super::HeadFault`] among its extensions and is to be refused with it.
///
/// # Errors
///
/// If a socket cannot be cloned or a thread not be started.
pub fn serve<M, S>(
    listeners: &[Bound],
    cores: NonZeroUsize,
    settings: &Arc<ArcSwap<ServerSettings>>,
    make: &M,
    control: &Control,
) -> io::Result<Running>
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: Service<Request<Incoming>, Response = Response<AnswerBody>, Error = Infallible>
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..cores.get()).map(|_| mpsc::unbounded_channel()).unzip();
    let loads = (0..cores.get()).map(|_| AtomicUsize::new(0)).collect();
    let cores = Arc::new(Cores { senders, loads });
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
            runtime.block_on(core.run(listeners, arrivals));
        };
        threads.push(Builder::new().name(format!("core-{index}")).spawn(run)?);
    }
    Ok(Running { threads })
}

/// A connection that was let in.
pub(super) struct Arrival {
    pub(super) tcp: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) permit: Permit,
    pub(super) settings: Arc<ServerSettings>,
}

/// An arrival on its way to another core, its stream taken out of the first core's reactor.
struct HandedOver {
    tcp: std::net::TcpStream,
    peer: SocketAddr,
    permit: Permit,
    settings: Arc<ServerSettings>,
    load: Load,
}

/// What the cores know of each other.
pub(super) struct Cores {
    senders: Vec<mpsc::UnboundedSender<HandedOver>>,
    /// Open connections of each.
    loads: Vec<AtomicUsize>,
}

impl Cores {
    /// The core that has least to do: this one, unless another has less.
    fn lightest(&self, own: usize) -> usize {
        let load = |index: usize| self.loads.get(index).map_or(usize::MAX, |l| l.load(Relaxed));
        (0..self.loads.len()).min_by_key(|index| (load(*index), *index != own)).unwrap_or(own)
    }
}

pub(super) struct Core<M> {
    index: usize,
    cores: Arc<Cores>,
    pub(super) settings: Arc<ArcSwap<ServerSettings>>,
    pub(super) control: Control,
    registry: Arc<Registry>,
    open: TaskTracker,
    make: M,
}

impl<M, S> Core<M>
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: Service<Request<Incoming>, Response = Response<AnswerBody>, Error = Infallible>
        + Send
        + 'static,
    S::Future: Send + 'static,
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
            // Listening ends with it, and connections that were not accepted yet are reset.
            task.abort();
        }
        arrivals.close();
        while let Some(arrival) = arrivals.recv().await {
            core.take_over(arrival);
        }
        core.drain().await;
        sweeping.abort();
    }

    async fn drain(&self) {
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

    /// Serves a connection on this core, or on one with less to do.
    pub(super) fn admit(self: &Arc<Self>, arrival: Arrival) {
        let index = self.cores.lightest(self.index);
        let load = Load::new(self.cores.clone(), index);
        if index == self.index {
            return self.start(arrival, load);
        }
        let Arrival { tcp, peer, permit, settings } = arrival;
        let Ok(tcp) = tcp.into_std() else { return };
        let handed = HandedOver { tcp, peer, permit, settings, load };
        if let Some(sender) = self.cores.senders.get(index)
            && let Err(returned) = sender.send(handed)
        {
            self.take_over(returned.0);
        }
    }

    fn take_over(self: &Arc<Self>, handed: HandedOver) {
        let HandedOver { tcp, peer, permit, settings, load } = handed;
        if let Ok(tcp) = TcpStream::from_std(tcp) {
            self.start(Arrival { tcp, peer, permit, settings }, load);
        }
    }

    fn start(self: &Arc<Self>, arrival: Arrival, load: Load) {
        let limits = &arrival.settings.limits;
        let patience = Patience { head: limits.header_timeout, idle: limits.idle_timeout };
        let watch = Arc::new(Watch::new(patience));
        self.registry.add(&watch);
        let (make, told) = (self.make.clone(), watch.clone());
        self.open.spawn(Supervised {
            connection: async move {
                let _load = load;
                let peer = arrival.peer;
                if let Err(error) = connect(arrival, told, make).await {
                    tracing::debug!(%peer, %error, "a connection ended before its first request");
                }
            },
            watch,
        });
    }
}

/// Serves one connection from its first byte to its last.
async fn connect<M, S>(arrival: Arrival, watch: Arc<Watch>, make: M) -> io::Result<()>
where
    M: Fn(Arc<Connection>) -> S,
    S: Service<Request<Incoming>, Response = Response<AnswerBody>, Error = Infallible>,
    S::Future: Send + 'static,
{
    let Arrival { tcp, peer, mut permit, settings } = arrival;
    let mut socket = Socket::new(tcp, watch.clone());
    let announced = opening::announcement(&mut socket, peer, &settings).await?;
    if announced.is_some_and(|source| !permit.announce(source.ip(), &settings)) {
        return Ok(());
    }
    let limit = settings.limits.header_bytes;
    let (wire, opened) = opening::open(socket, peer, announced, &settings).await?;
    drop(settings);
    let connection = Arc::new(Connection::new(&opened, watch));
    let service = make(connection.clone());
    if opened.http2 {
        http2::serve(wire, connection, service, limit).await;
    } else {
        http1::serve(wire, connection, service, limit).await;
    }
    Ok(())
}

async fn sweep_forever(registry: Arc<Registry>, settings: Arc<ArcSwap<ServerSettings>>) {
    loop {
        let shortest = {
            let limits = &settings.load().limits;
            limits.header_timeout.min(limits.idle_timeout)
        };
        time::sleep(sweep::interval(shortest)).await;
        registry.sweep(time::Instant::now());
    }
}

/// One connection's part of its core's load.
struct Load(Arc<Cores>, usize);

impl Load {
    fn new(cores: Arc<Cores>, index: usize) -> Self {
        if let Some(load) = cores.loads.get(index) {
            load.fetch_add(1, Relaxed);
        }
        Self(cores, index)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(load) = self.0.loads.get(self.1) {
            load.fetch_sub(1, Relaxed);
        }
    }
}

pin_project_lite::pin_project! {
    /// A connection that its sweep can end.
    struct Supervised<F> {
        #[pin]
        connection: F,
        watch: Arc<Watch>,
    }
}

impl<F: Future<Output = ()>> Future for Supervised<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        me.watch.follow(cx);
        let is_silent = || me.watch.phase() == Phase::Silent;
        if me.watch.must_close() || (me.watch.must_drain() && is_silent()) {
            return Poll::Ready(());
        }
        me.connection.poll(cx)
    }
}
