//! Log lines: what the operator of a running gateway reads on standard error.

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt::MakeWriter, layer::SubscriberExt as _, reload,
};

use crate::config::model::{Log, LogFormat};

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is neither a name nor a list of directives.
    #[error("`{level}` is no log level: {reason}")]
    Level {
        /// As configured.
        level: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process logs already.
    #[error("a logger is already installed")]
    Installed,
}

/// Changes the level of a running log.
#[derive(Clone, Debug)]
pub struct LevelHandle(reload::Handle<EnvFilter, Registry>);

impl LevelHandle {
    /// Logs at another level from now on.
    ///
    /// # Errors
    ///
    /// If the text is no level; the old one then stays.
    pub fn set(&self, level: &str) -> Result<(), LogError> {
        let filter = filter(level)?;
        self.0.reload(filter).map_err(|_| LogError::Installed)
    }
}

/// Starts logging to standard error, for the whole process.
///
/// # Errors
///
/// If the level is none, or the process logs already.
pub fn install(log: &Log) -> Result<LevelHandle, LogError> {
    let objects = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = io::stderr().is_terminal() && !objects;
    let (subscriber, handle) = subscriber(log, io::stderr, colours)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Installed)?;
    Ok(handle)
}

/// Checks a level without using it.
///
/// # Errors
///
/// If the text is neither a level's name nor a list of directives.
pub fn check_level(level: &str) -> Result<(), LogError> {
    filter(level).map(drop)
}

fn subscriber<W>(
    log: &Log,
    writer: W,
    colours: bool,
) -> Result<(impl Subscriber + Send + Sync, LevelHandle), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
        LogFormat::Text => lines.with_target(false).with_ansi(colours).boxed(),
    };
    Ok((Registry::default().with(filter).with(lines), LevelHandle(handle)))
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let wrong = |reason: String| LogError::Level { level: level.to_owned(), reason };
    // What is empty, or no name, would be taken for the name of a target at every level.
    let one = level.trim();
    let name = one.bytes().all(|byte| byte.is_ascii_alphabetic());
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    if name && !known.iter().any(|known| known.eq_ignore_ascii_case(one)) {
        return Err(wrong(format!("the levels are {}", known.join(", "))));
    }
    EnvFilter::builder().parse(one).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::testing::Captured;

    fn log(format: LogFormat, level: &str) -> Log {
        Log { format, level: level.into(), audit: None }
    }

    fn written(format: LogFormat, level: &str, tell: impl FnOnce(&LevelHandle)) -> String {
        let captured = Captured::default();
        let (subscriber, handle) =
            subscriber(&log(format, level), captured.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, || tell(&handle));
        captured.text()
    }

    #[test]
    fn json_lines_are_objects_that_nothing_breaks_out_of() {
        let text = written(LogFormat::Json, "info", |_| {
            tracing::warn!(detail = "a\n{\"level\":\"ERROR\"}", "refused");
        });
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "refused");
        assert_eq!(line["detail"], "a\n{\"level\":\"ERROR\"}");
    }

    #[test]
    fn text_lines_stay_one_line() {
        let text = written(LogFormat::Text, "info", |_| {
            tracing::warn!(detail = "a\nb\u{1b}[2K", "refused");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn the_level_can_be_changed_and_a_bad_one_changes_nothing() {
        let text = written(LogFormat::Text, "warn", |handle| {
            tracing::info!("first");
            handle.set("info").unwrap();
            tracing::info!("second");
            assert!(handle.set("loud").is_err());
            tracing::info!("third");
        });
        assert!(!text.contains("first") && text.contains("second") && text.contains("third"));
    }

    #[test]
    fn levels() {
        for good in ["info", "WARN", "off", "info,hyper=warn", "hookward=debug"] {
            assert!(check_level(good).is_ok(), "{good}");
        }
        for bad in ["", "loud", "hookward=loud", "a=b=c"] {
            assert!(check_level(bad).is_err(), "{bad}");
        }
    }
}
