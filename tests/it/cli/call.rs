//! One call of the program in a folder of its own.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// A call that is being put together.
pub struct Call {
    command: Command,
    folder: tempfile::TempDir,
    stdin: Vec<u8>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Out {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Calls the program in an empty folder.
pub fn call(args: &[&str]) -> Out {
    Call::new(args).run()
}

/// The program itself.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookward"));
    command.env_remove("GITHUB_WEBHOOK_SECRET").env_remove("STRIPE_WEBHOOK_SECRET");
    // Help is wrapped for the terminal.
    command.env_remove("COLUMNS");
    command
}

impl Call {
    pub fn new(args: &[&str]) -> Self {
        let mut command = program();
        let folder = tempfile::tempdir().unwrap();
        command.args(args).current_dir(folder.path());
        Self { command, folder, stdin: Vec::new() }
    }

    /// Puts a file into the folder.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn run(mut self) -> Out {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = std::mem::take(&mut self.stdin);
        // Whoever reads no input may be gone already.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let done = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Out {
            code: done.status.code().expect("no signal ended it"),
            out: text(&done.stdout),
            err: text(&done.stderr),
        }
    }
}

impl Out {
    /// What was printed, of a call that succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.err, "", "a call that succeeds says nothing on standard error");
        self.out
    }

    /// What was said, of a call that was wrong.
    pub fn usage(self) -> String {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.out, "", "a wrong call prints nothing");
        assert!(self.err.starts_with("error: "), "{self:?}");
        self.err
    }
}

/// A file of the repository.
pub fn of_the_repository(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    path.to_str().unwrap().to_owned()
}
