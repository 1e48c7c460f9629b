//! Writes the folder of a run with a long ordinary day, which `windthrow recheck` judges: so many calls to
//! Linktree, and so many page views between one and the next.
//!
//! ```sh
//! cargo run --release --example day -- target/day 100000 9
//! ```

mod day;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next =
        |what: &str| arguments.next().ok_or(format!("failed to write a day: no {what} given"));
    let (folder, exchanges, views) = (next("folder")?, next("exchanges")?, next("views of each")?);
    std::fs::create_dir_all(&folder)?;
    day::record(Path::new(&folder), exchanges.parse()?, views.parse()?)?;
    Ok(())
}
