//! Which configuration a command reads.

use std::path::{Path, PathBuf};

/// The `-c` of every command that reads a configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArg {
    /// The configuration; if absent ./hookward.toml, then /etc/hookward/hookward.toml
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Where a configuration is looked for when none is named.
const PLACES: [&str; 2] = ["hookward.toml", "/etc/hookward/hookward.toml"];

impl ConfigArg {
    /// Whether the call names a file.
    pub const fn is_given(&self) -> bool {
        self.file.is_some()
    }

    /// The file to read.
    ///
    /// # Errors
    ///
    /// A sentence for people if there is none: the call was wrong.
    pub fn path(&self) -> Result<PathBuf, String> {
        self.path_among(&PLACES)
    }

    fn path_among(&self, places: &[&str]) -> Result<PathBuf, String> {
        if let Some(file) = &self.file {
            return match std::fs::File::open(file).and_then(|file| file.metadata()) {
                Ok(meta) if meta.is_dir() => Err(format!("{} is a directory", file.display())),
                Ok(_) => Ok(file.clone()),
                Err(error) => Err(format!("cannot read {}: {error}", file.display())),
            };
        }
        places.iter().map(Path::new).find(|place| place.is_file()).map(Path::to_owned).ok_or_else(
            || {
                format!(
                    "no configuration: neither {} is there; name one with -c FILE, or begin with \
                     `hookward init`",
                    places.join(" nor ")
                )
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_has_a_file_wins() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("b.toml");
        std::fs::write(&there, "").unwrap();
        let absent = dir.path().join("a.toml");
        let places = [absent.to_str().unwrap(), there.to_str().unwrap()];
        let unnamed = ConfigArg { file: None };
        assert_eq!(unnamed.path_among(&places), Ok(there.clone()));
        assert!(unnamed.path_among(&[places[0]]).unwrap_err().contains("hookward init"));

        assert_eq!(ConfigArg { file: Some(there.clone()) }.path(), Ok(there));
        assert!(ConfigArg { file: Some(absent) }.path().is_err(), "a named file is never replaced");
        assert!(ConfigArg { file: Some(dir.path().into()) }.path().is_err());
    }
}
