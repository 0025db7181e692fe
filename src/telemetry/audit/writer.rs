//! The thread that writes, and the queue before it.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use super::{AuditEvent, line};
use crate::config::model::AuditSink;

/// Where lines go.
type Sink = Box<dyn Write + Send>;

/// Opens the place for audit lines: a file is appended to, and made with mode 0600.
///
/// # Errors
///
/// If the file cannot be opened; the error names it.
pub fn open(sink: &AuditSink) -> io::Result<Box<dyn Write + Send>> {
    Ok(match sink {
        AuditSink::Stdout => Box::new(io::stdout()),
        AuditSink::File(path) => {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            Box::new(options.open(path).map_err(named)?)
        }
    })
}

/// Hands events to a thread that writes them. Dropped, it lets that thread write what is queued
/// and end.
#[derive(Debug)]
pub struct AuditWriter {
    queue: SyncSender<Box<AuditEvent>>,
    dropped: Arc<AtomicU64>,
    ended: Mutex<Receiver<()>>,
}

impl AuditWriter {
    /// Starts the thread. Lines that are lost are counted in `dropped`.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(sink: Box<dyn Write + Send>, dropped: Arc<AtomicU64>) -> io::Result<Self> {
        Self::with_queue(sink, dropped, QUEUE)
    }

    fn with_queue(sink: Sink, dropped: Arc<AtomicU64>, length: usize) -> io::Result<Self> {
        let (queue, events) = mpsc::sync_channel(length);
        let (end, ended) = mpsc::channel();
        let lost = Arc::clone(&dropped);
        thread::Builder::new().name("audit".to_owned()).spawn(move || {
            Appender {
                sink,
                lost,
                lines: Vec::new(),
                ends: Vec::new(),
                torn: false,
                failing: false,
            }
            .run(&events);
            drop(end);
        })?;
        Ok(Self { queue, dropped, ended: Mutex::new(ended) })
    }

    /// Takes an event if there is room; never waits.
    pub(in crate::telemetry) fn record(&self, event: AuditEvent) {
        if self.queue.try_send(Box::new(event)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets the thread write what is queued, and waits for it, but no longer than this: a file
    /// that blocks must not keep the process alive.
    pub fn close(writer: Arc<Self>, patience: Duration) -> bool {
        let closed = match Arc::try_unwrap(writer) {
            Ok(Self { queue, ended, .. }) => {
                drop(queue);
                ended.into_inner().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience)
            }
            // Somebody is about to hand an event over: the thread ends after that.
            Err(shared) => {
                let ended = super::super::lock(&shared.ended);
                ended.recv_timeout(patience.min(Duration::from_millis(50)))
            }
        };
        closed == Err(mpsc::RecvTimeoutError::Disconnected)
    }
}

struct Appender {
    sink: Sink,
    lost: Arc<AtomicU64>,
    lines: Vec<u8>,
    /// Where each line in `lines` ends.
    ends: Vec<usize>,
    /// The last write broke off within a line.
    torn: bool,
    failing: bool,
}

impl Appender {
    fn run(mut self, events: &Receiver<Box<AuditEvent>>) {
        while let Ok(event) = events.recv() {
            self.put(&event);
            while self.fill(events) {
                self.flush();
            }
            self.flush();
            // Waking this thread costs the request that does it. While requests keep coming, a
            // short rest makes one wake-up serve many lines; the queue holds far more than that.
            thread::sleep(REST);
        }
    }

    /// Takes what is queued; `true` if that is enough for one write, and there may be more.
    fn fill(&mut self, events: &Receiver<Box<AuditEvent>>) -> bool {
        while self.lines.len() < BATCH_BYTES {
            match events.try_recv() {
                Ok(event) => self.put(&event),
                Err(_) => return false,
            }
        }
        true
    }

    fn put(&mut self, event: &AuditEvent) {
        if std::mem::take(&mut self.torn) {
            self.lines.push(b'\n');
        }
        let before = self.lines.len();
        match line::append(event, &mut self.lines) {
            Ok(()) => self.ends.push(self.lines.len()),
            Err(_) => {
                self.lines.truncate(before);
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn flush(&mut self) {
        let (written, outcome) = write_all(&mut self.sink, &self.lines);
        let lost = self.ends.iter().filter(|end| **end > written).count();
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
        self.torn = written > 0 && self.lines.get(written - 1) != Some(&b'\n');
        if let Err(error) = &outcome
            && !self.failing
        {
            tracing::error!(%error, "audit lines cannot be written and are lost");
        } else if outcome.is_ok() && self.failing {
            tracing::info!("audit lines are written again");
        }
        self.failing = outcome.is_err();
        self.lines.clear();
        self.ends.clear();
    }
}

/// Writes and says how far it got, which `Write::write_all` does not.
fn write_all(sink: &mut Sink, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, sink.flush())
}

/// Events that wait at most: about 8 MB.
const QUEUE: usize = 8192;

const BATCH_BYTES: usize = 64 * 1024;

const REST: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::testing;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A place to write to that keeps everything, and can be held up or full.
    #[derive(Clone, Default)]
    struct Place {
        bytes: Arc<Mutex<Vec<u8>>>,
        /// Bytes that still fit.
        room: Option<Arc<Mutex<usize>>>,
    }

    impl Write for Place {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut n = bytes.len();
            if let Some(room) = &self.room {
                let mut room = room.lock().unwrap();
                n = n.min(*room);
                *room -= n;
                if n == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
            }
            self.bytes.lock().unwrap().extend_from_slice(&bytes[..n]);
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start(place: Place, queue: usize) -> (Arc<AuditWriter>, Arc<AtomicU64>) {
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = AuditWriter::with_queue(Box::new(place), Arc::clone(&dropped), queue);
        (Arc::new(writer.unwrap()), dropped)
    }

    #[test]
    fn what_is_queued_is_written_before_the_end() {
        let place = Place::default();
        let (writer, dropped) = start(place.clone(), QUEUE);
        for _ in 0..1000 {
            writer.record(testing::forwarded());
        }
        assert!(AuditWriter::close(writer, PATIENCE));
        let bytes = place.bytes.lock().unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1000);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_place_that_blocks_holds_up_no_request() {
        let place = Place::default();
        let held = place.bytes.lock().unwrap();
        let (writer, dropped) = start(place.clone(), 10);
        for _ in 0..5000 {
            writer.record(testing::forwarded());
        }
        // One batch of events is with the thread, ten wait, the others are lost.
        assert!(dropped.load(Ordering::SeqCst) > 1000);
        assert!(!AuditWriter::close(Arc::clone(&writer), Duration::ZERO));
        drop(held);
        assert!(AuditWriter::close(writer, PATIENCE));
        let bytes = place.bytes.lock().unwrap();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(lines + dropped.load(Ordering::SeqCst), 5000);
    }

    #[test]
    fn a_full_disk_loses_whole_lines_and_counts_them() {
        let mut line = Vec::new();
        line::append(&testing::forwarded(), &mut line).unwrap();
        let room = Arc::new(Mutex::new(line.len() * 3 / 2));
        let place = Place { room: Some(Arc::clone(&room)), ..Place::default() };
        let lost = Arc::new(AtomicU64::new(0));
        let mut appender = Appender {
            sink: Box::new(place.clone()),
            lost: Arc::clone(&lost),
            lines: Vec::new(),
            ends: Vec::new(),
            torn: false,
            failing: false,
        };
        appender.put(&testing::forwarded());
        appender.put(&testing::forwarded());
        appender.flush();
        assert_eq!(lost.load(Ordering::SeqCst), 1);
        *room.lock().unwrap() = 10_000;
        appender.put(&testing::no_route());
        appender.flush();
        assert_eq!(lost.load(Ordering::SeqCst), 1);
        let bytes = place.bytes.lock().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "a line, a torn one, and one that is not glued to it");
        assert!(serde_json::from_str::<serde_json::Value>(lines[1]).is_err());
        let last: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!(last["decision"], "no_route");
    }

    #[test]
    fn a_file_is_made_for_its_owner_alone_and_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        for _ in 0..2 {
            let sink = open(&AuditSink::File(path.clone())).unwrap();
            let writer = AuditWriter::start(sink, Arc::default()).unwrap();
            writer.record(testing::forwarded());
            assert!(AuditWriter::close(Arc::new(writer), PATIENCE));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(open(&AuditSink::File(directory.path().join("no/such"))).is_err());
    }
}
