//! The loop: an answer comes in, the next request goes out.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token, event::Event};
use rustls::ClientConfig;

use super::{
    LoadError, Outcome, Plan, Reuse, Until, pace::Pace, stream::Stream, stream::tls_client,
    window::Window,
};
use crate::{http::Answer, message::Message};

/// Does what the plan says.
///
/// # Errors
///
/// No connection, a gateway that closes what it should answer, or one that falls silent.
pub fn run(plan: &Plan) -> Result<Outcome, LoadError> {
    let mut engine = Engine::new(plan)?;
    let mut poll = Poll::new()?;
    engine.open_all(&poll)?;
    let mut events = Events::with_capacity(256);
    let (mut sent, mut heard) = (0, Instant::now());
    while !engine.window.over() {
        poll.poll(&mut events, Some(TICK))?;
        for event in &events {
            engine.serve(event, &poll)?;
        }
        if engine.sent != sent {
            (sent, heard) = (engine.sent, Instant::now());
        } else if heard.elapsed() > SILENCE {
            return Err(LoadError::Silent(SILENCE.as_secs()));
        }
    }
    Ok(engine.finish())
}

struct Engine<'a> {
    plan: &'a Plan,
    tls: Option<Arc<ClientConfig>>,
    message: Message,
    connections: Vec<Connection>,
    idle: VecDeque<usize>,
    pace: Option<Pace>,
    window: Window,
    buffer: Vec<u8>,
    sent: u64,
    opened: u64,
    broken: u64,
    statuses: BTreeMap<u16, u64>,
}

struct Connection {
    stream: Option<Stream>,
    request: Option<Request>,
    /// The part of an answer that came without its rest.
    partial: Vec<u8>,
}

/// A request that is being sent or waits for its answer.
#[derive(Clone, Copy)]
struct Request {
    id: u64,
    written: usize,
    length: usize,
    due: Option<Instant>,
}

/// What reading a connection came to.
enum Heard {
    Nothing,
    /// The connection is over, for that reason if one is known.
    End(String),
    Answer {
        status: u16,
        last: bool,
    },
}

impl<'a> Engine<'a> {
    fn new(plan: &'a Plan) -> Result<Self, LoadError> {
        // Each connection, here and behind the gateway, is open and was used before anything counts.
        let warm = 2 * plan.connections.max(plan.routes) as u64;
        let tls =
            plan.certificate.as_deref().map(|pem| tls_client(pem, plan.hybrid)).transpose()?;
        Ok(Self {
            plan,
            tls,
            message: Message::new(&plan.shape()),
            connections: Vec::new(),
            idle: VecDeque::new(),
            pace: None,
            window: Window::new(plan.until, warm, plan.watch),
            buffer: vec![0; 64 * 1024],
            sent: 0,
            opened: 0,
            broken: 0,
            statuses: BTreeMap::new(),
        })
    }

    fn open_all(&mut self, poll: &Poll) -> Result<(), LoadError> {
        for number in 0..self.plan.connections {
            let stream = self.open(number, poll)?;
            let connection =
                Connection { stream: Some(stream), request: None, partial: Vec::new() };
            self.connections.push(connection);
        }
        self.window.restart();
        if let Some(rate) = self.plan.rate {
            self.pace = Some(Pace::start(rate, poll.registry(), TIMER)?);
            self.idle = (0..self.plan.connections).collect();
            return Ok(());
        }
        for number in 0..self.plan.connections {
            self.send(number, None, poll)?;
        }
        Ok(())
    }

    fn open(&mut self, number: usize, poll: &Poll) -> io::Result<Stream> {
        self.opened += 1;
        Stream::open(self.plan.target, self.tls.as_ref(), poll.registry(), Token(number))
    }

    fn serve(&mut self, event: &Event, poll: &Poll) -> Result<(), LoadError> {
        if event.token() == TIMER {
            if let Some(pace) = &mut self.pace {
                pace.tick()?;
            }
            return self.send_due(poll);
        }
        let Token(number) = event.token();
        if event.is_writable() {
            self.write(number)?;
        }
        if event.is_readable() {
            match self.read(number)? {
                Heard::Nothing => {}
                Heard::End(why) => self.reconnect(number, why, poll)?,
                Heard::Answer { status, last } => self.answered(number, status, last, poll)?,
            }
        }
        Ok(())
    }

    fn send_due(&mut self, poll: &Poll) -> Result<(), LoadError> {
        while let Some(number) = self.idle.pop_front() {
            let Some(due) = self.pace.as_mut().and_then(Pace::take) else {
                self.idle.push_front(number);
                break;
            };
            self.send(number, Some(due), poll)?;
        }
        Ok(())
    }

    /// Sends the next request on this connection, unless all that were asked for are sent.
    fn send(&mut self, number: usize, due: Option<Instant>, poll: &Poll) -> Result<(), LoadError> {
        if matches!(self.plan.until, Until::Answers(wanted) if self.sent >= wanted) {
            return Ok(());
        }
        if self.connections.get(number).is_none_or(|connection| connection.stream.is_none()) {
            let stream = self.open(number, poll)?;
            if let Some(connection) = self.connections.get_mut(number) {
                connection.stream = Some(stream);
            }
        }
        let id = self.plan.first_id + self.sent;
        self.sent += 1;
        if let Some(connection) = self.connections.get_mut(number) {
            connection.request = Some(Request { id, written: 0, length: usize::MAX, due });
        }
        self.write(number)
    }

    fn write(&mut self, number: usize) -> Result<(), LoadError> {
        let Some(connection) = self.connections.get_mut(number) else { return Ok(()) };
        let Some(stream) = &mut connection.stream else { return Ok(()) };
        match &mut connection.request {
            Some(request) if request.written < request.length => {
                let bytes = self.message.stamp(request.id);
                request.length = bytes.len();
                let rest = bytes.get(request.written..).unwrap_or_default();
                // A gateway may refuse and close before it has all: its answer is still to be read.
                request.written += stream.write(rest).unwrap_or(rest.len());
            }
            _ => stream.flush()?,
        }
        Ok(())
    }

    fn read(&mut self, number: usize) -> Result<Heard, LoadError> {
        let Some(connection) = self.connections.get_mut(number) else { return Ok(Heard::Nothing) };
        let Some(stream) = &mut connection.stream else { return Ok(Heard::Nothing) };
        loop {
            let read = match stream.read(&mut self.buffer) {
                Ok(None) => return Ok(Heard::Nothing),
                Ok(Some(0)) => return Ok(Heard::End(String::new())),
                Err(error) => return Ok(Heard::End(format!(": {error}"))),
                Ok(Some(read)) => read,
            };
            let fresh = self.buffer.get(..read).unwrap_or_default();
            let bytes = if connection.partial.is_empty() {
                fresh
            } else {
                connection.partial.extend_from_slice(fresh);
                &connection.partial
            };
            match Answer::parse(bytes).map_err(io::Error::other)? {
                Some(answer) if bytes.len() >= answer.length => {
                    connection.partial.clear();
                    return Ok(Heard::Answer { status: answer.status, last: answer.last });
                }
                _ if connection.partial.is_empty() => connection.partial.extend_from_slice(fresh),
                _ => {}
            }
        }
    }

    fn answered(
        &mut self,
        number: usize,
        status: u16,
        last: bool,
        poll: &Poll,
    ) -> Result<(), LoadError> {
        *self.statuses.entry(status).or_default() += 1;
        let Some(connection) = self.connections.get_mut(number) else { return Ok(()) };
        let due = connection.request.take().and_then(|request| request.due);
        self.window.answer(due);
        if (last || self.plan.reuse == Reuse::Never)
            && let Some(stream) = connection.stream.take()
        {
            stream.close(poll.registry());
        }
        if self.pace.is_some() {
            self.idle.push_back(number);
            return self.send_due(poll);
        }
        if self.plan.reuse == Reuse::Once {
            return Ok(());
        }
        self.send(number, None, poll)
    }

    /// A connection ended: a fault if an answer was to come, else the gateway's right.
    fn reconnect(&mut self, number: usize, why: String, poll: &Poll) -> Result<(), LoadError> {
        let Some(connection) = self.connections.get_mut(number) else { return Ok(()) };
        connection.partial.clear();
        connection.stream = None;
        let Some(request) = connection.request.take() else { return Ok(()) };
        self.broken += 1;
        if self.broken > MOST_BROKEN {
            return Err(LoadError::Broken(self.broken, why));
        }
        self.send(number, request.due, poll)
    }

    fn finish(self) -> Outcome {
        let outcome = self.window.close();
        let Self { opened, broken, statuses, .. } = self;
        Outcome { opened, broken, statuses, ..outcome }
    }
}

/// How often it looks at the clock when nothing happens.
const TICK: Duration = Duration::from_millis(5);
/// After this long without a request there is nothing to measure.
const SILENCE: Duration = Duration::from_secs(10);
/// More connections that broke are no measurement.
const MOST_BROKEN: u64 = 1_000;
const TIMER: Token = Token(usize::MAX - 1);
