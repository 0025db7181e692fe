//! `hookward pair`: has a running gateway take the key that a provider hands over.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

use super::{
    Exit, check,
    config_arg::ConfigArg,
    style::{Style, failed, one_line, print, usage},
};
use crate::{
    clock::Clock,
    config::{LoadOptions, Secrets, lint::load_and_lint},
};

/// Has a running gateway take the key that a provider hands over.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The route
    route: String,
    /// For how long, such as 90s or 10m; at most 1h. Whoever sends the first handshake in this
    /// time chooses the key
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = time)]
    time: Duration,
    /// Wait until the key was taken, or the time is over
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    config: ConfigArg,
    /// Where the gateway's admin listener is on this machine, instead of where the configuration
    /// says
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "file")]
    admin: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let admin = match &args.admin {
        Some(admin) => admin.clone(),
        None => match args.config.path().and_then(|path| configured(&path)) {
            Ok(admin) => admin,
            Err(message) => return usage(&message),
        },
    };
    let path = format!("/routes/{}/pair", args.route);
    if !args.route.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return usage(&format!("{:?} is no route's name", args.route));
    }
    let body = format!("{{\"for_secs\":{}}}", args.time.as_secs());
    if let Err(message) = ask(&admin, "POST", &path, &body) {
        return failed(&message);
    }
    let route = &args.route;
    let told = print(&format!(
        "{route}: armed for {} s. Have the provider send its handshake now: the first one sets the \
         key.\n",
        args.time.as_secs()
    ));
    if args.wait { wait(&admin, &path, route) } else { told }
}

/// Asks once a second until there is a key, or none will be taken any more.
fn wait(admin: &str, path: &str, route: &str) -> Exit {
    loop {
        let answer = match ask(admin, "GET", path, "") {
            Ok(answer) => answer,
            Err(message) => return failed(&message),
        };
        match answer.get("status").and_then(|status| status.as_str()) {
            Some("captured") => {
                return print(&format!("{route}: the key is there, and in force\n"));
            }
            Some("armed") => std::thread::sleep(Duration::from_secs(1)),
            _ => return failed(&format!("{route}: no handshake came in time")),
        }
    }
}

/// The admin listener that a configuration names.
fn configured(path: &Path) -> Result<String, String> {
    // Where it listens can be read where the secrets are not.
    let options =
        LoadOptions { secrets: Secrets::Skip, ..LoadOptions::new(Clock::system().unix()) };
    let (loaded, _) = load_and_lint(path, &options)
        .map_err(|problems| check::report(path, None, &problems, Style::stderr()))?;
    let listen = loaded.config.admin.and_then(|admin| admin.listen);
    let Some(mut address) = listen.filter(|address| address.port() != 0) else {
        return Err(format!(
            "{} has no [admin] with a listen address; name the gateway's with --admin",
            path.display()
        ));
    };
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            SocketAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
        });
    }
    Ok(address.to_string())
}

/// One exchange with the admin listener; the error is a sentence for people.
fn ask(admin: &str, method: &str, path: &str, body: &str) -> Result<serde_json::Value, String> {
    let answer = exchange(admin, method, path, body)
        .map_err(|error| format!("no answer from the admin listener at {admin}: {error}"))?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    let json = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
    if status == "200" && json.is_object() {
        return Ok(json);
    }
    let detail = json.get("detail").and_then(|detail| detail.as_str()).unwrap_or(body).trim();
    Err(one_line(&format!("{admin} answers {status}: {detail}")))
}

fn exchange(admin: &str, method: &str, path: &str, body: &str) -> std::io::Result<Vec<u8>> {
    let address = admin.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

/// A whole number and a unit.
fn time(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.strip_prefix(number) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => return Err("such as \"90s\" or \"10m\"".to_owned()),
    };
    let secs = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    match secs {
        Some(secs @ 1..=3600) => Ok(Duration::from_secs(secs)),
        _ => Err("from 1s to 1h".to_owned()),
    }
}

/// For connecting, and for each read and write.
const PATIENCE: Duration = Duration::from_secs(10);

/// More of an answer is not of interest, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (text, secs) in [("1s", 1), ("90s", 90), ("10m", 600), ("1h", 3600), ("60m", 3600)] {
            assert_eq!(time(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for bad in ["", "0s", "10", "m", "61m", "2h", "1d", "-1s", "1.5m", "99999999999999999999h"]
        {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
