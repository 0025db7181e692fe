//! Lists the built-in definitions, so that adding a provider is adding one file.

use std::{env, error::Error, fs, path::Path};

const FOLDER: &str = "src/providers";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let mut names = Vec::new();
    for file in fs::read_dir(Path::new(&root).join(FOLDER))? {
        let name = file?.file_name().into_string().map_err(|_| "a file's name is no text")?;
        names.extend(name.strip_suffix(".toml").map(str::to_owned));
    }
    // Looked up by bisection.
    names.sort_unstable();
    let entries: String = names
        .iter()
        .map(|name| {
            let path = format!("{root}/{FOLDER}/{name}.toml");
            format!("    Entry::new({name:?}, include_str!({path:?})),\n")
        })
        .collect();
    let code = format!("static ENTRIES: [Entry; {}] = [\n{entries}];\n", names.len());
    fs::write(Path::new(&env::var("OUT_DIR")?).join("catalogue.rs"), code)?;
    Ok(())
}
