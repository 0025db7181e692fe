//! `hookward sign` and `hookward send`.

mod plan;
mod print;
pub(super) mod send;

use std::path::PathBuf;

use self::plan::Plan;
use super::{
    Exit,
    config_arg::ConfigArg,
    input,
    style::{failed, print_bytes, usage},
};
use crate::{
    clock::{Clock, UnixMs},
    verify::sign::{SignError, SignRequest, SignedRequest, sign},
};

/// Makes a request as a provider would.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The provider to sign as
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "route"])]
    provider: Option<String>,
    /// The secret, or the private key where the provider signs with one: itself, env:NAME or
    /// file:PATH; again for a scheme with several keys. With --route, in place of the route's own
    #[arg(long, value_name = "SECRET")]
    secret: Vec<String>,
    /// What the scheme must be told, such as `url=https://example.com/hook`
    #[arg(long, value_name = "KEY=VALUE", requires = "provider")]
    expect: Vec<String>,
    #[command(flatten)]
    config: ConfigArg,
    /// The route of the configuration to sign for
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// The body, - for standard input; the provider's sample if absent
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Where it goes; http://127.0.0.1:8080/NAME if absent, or where the route listens
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The time to sign at, in Unix seconds; now if absent
    #[arg(long, value_name = "UNIX")]
    at: Option<u32>,
    /// A header in place of the one that would be sent; again for more
    #[arg(long = "header", value_name = "'K: V'")]
    headers: Vec<String>,
    /// Sends it, and prints the answer
    #[arg(long)]
    send: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Headers)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// As it is on the wire
    Headers,
    /// A curl command for a POSIX shell
    Curl,
    /// A JSON object with the body as base64
    Json,
}

/// Runs `sign`.
pub fn run(args: &Args) -> Exit {
    run_as(args, args.send)
}

/// Runs `send`.
pub fn send(args: &Args) -> Exit {
    run_as(args, true)
}

fn run_as(args: &Args, sends: bool) -> Exit {
    let request = match make(args) {
        Ok(request) => request,
        Err(message) => return usage(&message),
    };
    if !sends {
        return print_bytes(&match args.format {
            Format::Headers => print::headers(&request),
            Format::Curl => print::curl(&request).into_bytes(),
            Format::Json => print::json(&request).into_bytes(),
        });
    }
    match send::send(&request) {
        Ok(answer) => match print_bytes(print::answer(&answer).as_bytes()) {
            Exit::Yes if !answer.status.is_success() => Exit::No,
            exit => exit,
        },
        Err(error) => failed(&format!("cannot send: {error}")),
    }
}

fn make(args: &Args) -> Result<SignedRequest, String> {
    let at = match args.at {
        Some(secs) => UnixMs::from_secs(i64::from(secs)),
        None => Clock::system().unix(),
    };
    let plan = match (&args.provider, &args.route) {
        (Some(provider), _) => Plan::for_provider(provider, args)?,
        (None, Some(route)) => Plan::for_route(&args.config.path()?, route, args, at)?,
        (None, None) => {
            return Err("say --provider and --secret, or -c and --route".to_owned());
        }
    };
    let body = args.body.as_deref().map(input::read).transpose()?;
    let mut headers = args.headers.iter().map(|h| header(h)).collect::<Result<Vec<_>, _>>()?;
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if let (false, Some(host)) = (has_host, &plan.host) {
        headers.push(("Host".to_owned(), host.clone()));
    }
    let request = SignRequest {
        at,
        body: body.as_deref(),
        headers: &headers,
        id: None,
        kind: None,
        seed: fastrand::u64(..),
        url: &plan.url,
    };
    sign(&plan.definition, &plan.scheme, &plan.secrets, &request).map_err(|error| match error {
        SignError::NoSecret => format!("{error}; say --secret SECRET"),
        other => other.to_string(),
    })
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| format!("`{text}` is no header; write it as 'Name: value'"))?;
    let (name, value) = (name.trim(), value.trim());
    let valid =
        http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
    if valid {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(format!("`{text}` is no header"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Call {
        #[command(flatten)]
        args: Args,
    }

    fn call(words: &[&str]) -> Result<SignedRequest, String> {
        let call = Call::try_parse_from([&["sign"], words].concat());
        make(&call.map_err(|error| error.to_string())?.args)
    }

    #[test]
    fn a_provider_and_a_secret_are_enough() {
        let request = call(&["--provider", "github", "--secret", "demo-secret"]).unwrap();
        assert_eq!(request.url, "http://127.0.0.1:8080/github");
        assert!(request.has_header("X-Hub-Signature-256"));
        // The example of the provider's documentation.
        let dir = tempfile::tempdir().unwrap();
        let body = dir.path().join("body");
        std::fs::write(&body, "Hello, World!").unwrap();
        let request = call(&[
            "--provider",
            "github",
            "--secret",
            "It's a Secret to Everybody",
            "--body",
            body.to_str().unwrap(),
        ])
        .unwrap();
        let signature = request.headers.iter().find(|(n, _)| n == "X-Hub-Signature-256").unwrap();
        assert_eq!(
            signature.1,
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }

    #[test]
    fn the_time_and_headers_are_the_callers() {
        let request = call(&[
            "--provider",
            "slack",
            "--secret",
            "s3cret",
            "--at",
            "1760000000",
            "--header",
            "X-Extra:  1 ",
        ])
        .unwrap();
        let has = |name: &str, value: &str| {
            request.headers.contains(&(name.to_owned(), value.to_owned()))
        };
        assert!(has("X-Slack-Request-Timestamp", "1760000000"), "{request:?}");
        assert!(has("X-Extra", "1"));
    }

    #[test]
    fn the_registered_url_is_where_it_goes_unless_said() {
        let square = ["--provider", "square", "--secret", "s3cret"];
        let url = "https://hooks.example.com/in?x=1";
        let value = |words: &[&str]| {
            let request = call(&[&square, words].concat()).unwrap();
            let dir: Vec<_> =
                request.headers.into_iter().filter(|(n, _)| n.contains("hmac")).collect();
            dir[0].1.clone()
        };
        let body = tempfile::NamedTempFile::new().unwrap();
        let body = ["--body", body.path().to_str().unwrap()];
        let direct = value(&[&body, &["--url", url][..]].concat());
        let expect = format!("url={url}");
        let local = ["--url", "http://127.0.0.1:8080/in?x=1", "--expect", &expect];
        assert_eq!(direct, value(&[&body, &local[..]].concat()));
    }

    #[test]
    fn a_route_brings_everything() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hookward.toml");
        std::fs::write(
            &file,
            "[server]\nlisten = [\"0.0.0.0:8443\"]\n[routes.gh]\nhost = \"h.example.com\"\n\
             path = \"/in/{team}/*\"\nprovider = \"github\"\n\
             secrets = [{ value = \"0123456789abcdef\" }]\nupstream = \"http://127.0.0.1:1/\"\n",
        )
        .unwrap();
        let config = file.to_str().unwrap();
        let request = call(&["-c", config, "--route", "gh"]).unwrap();
        assert_eq!(request.url, "http://127.0.0.1:8443/in/team/x");
        assert!(request.headers.contains(&("Host".to_owned(), "h.example.com".to_owned())));
        let error = call(&["-c", config, "--route", "hg"]).unwrap_err();
        assert!(error.contains("there is no route \"hg\"; there is gh"), "{error}");
    }

    #[test]
    fn wrong_calls_are_explained() {
        for (words, what) in [
            (&[][..], "--provider and --secret"),
            (&["--provider", "gihtub", "--secret", "x"], "did you mean github"),
            (&["--provider", "github"], "--secret"),
            (&["--secret", "x"], "--provider"),
            (&["--provider", "github", "--secret", "x", "--route", "y"], "cannot be used with"),
            (&["--provider", "github", "--secret", "x", "--header", "y"], "no header"),
            (&["--provider", "github", "--secret", "x", "--url", "y"], "no http://"),
            (&["--provider", "github", "--secret", "x", "--expect", "y"], "KEY=VALUE"),
            (&["--provider", "github", "--secret", "x", "--expect", "a=b"], "a"),
            (&["--provider", "standard-webhooks", "--secret", "x y"], "the secret is not base64"),
            (&["--provider", "github", "--secret", "env:HOOKWARD_NO_SUCH"], "is not set"),
        ] {
            let error = call(words).unwrap_err();
            assert!(error.contains(what), "{words:?}: {error}");
            assert!(!error.contains("x y"), "no secret in {error}");
        }
    }
}
