//! The changes that wait, in SQLite: a whole campaign is one transaction.

use super::{Change, Fate, Waiting};
use rusqlite::{Connection, params};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// A number for each change, and one row for each link: a later campaign's change takes the place of an
/// earlier one's.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        link_id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        url TEXT NOT NULL,
        refused INTEGER
    ) STRICT;
";

/// The table failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("failed to use the campaigns' table: {0}")]
pub struct StoreError(String);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// The table between the front door and the delivery. Launches are rare: whoever uses it waits for its turn,
/// on a thread that may block.
#[derive(Clone)]
pub struct ChangeStore(Arc<Mutex<Connection>>);

impl ChangeStore {
    /// Opens or creates `campaigns.sqlite` in `folder`.
    ///
    /// # Errors
    /// When the folder or the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError(error.to_string()))?;
        let database = Connection::open(folder.join("campaigns.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(database))))
    }

    /// Takes a campaign in, all of it or nothing; when this returns, it is on disk.
    ///
    /// # Errors
    /// When it is not.
    pub async fn take(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.with(move |database| {
            let all = database.transaction()?;
            let mut put = all.prepare_cached(
                "INSERT OR REPLACE INTO changes (link_id, title, url) VALUES (?1, ?2, ?3)",
            )?;
            for change in &changes {
                put.execute(params![change.id, change.title, change.url])?;
            }
            drop(put);
            all.commit()
        })
        .await
    }

    /// The oldest waiting changes.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn waiting(&self, most: usize) -> Result<Vec<Waiting>, StoreError> {
        self.with(move |database| {
            database
                .prepare_cached(
                    "SELECT number, link_id, title, url FROM changes WHERE refused IS NULL
                     ORDER BY number LIMIT ?1",
                )?
                .query_map([most as i64], |row| {
                    let change = Change { id: row.get(1)?, title: row.get(2)?, url: row.get(3)? };
                    Ok(Waiting { number: row.get(0)?, change })
                })?
                .collect()
        })
        .await
    }

    /// Takes changes out, by their numbers: what has come meanwhile for the same link has another.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(&self, fates: Vec<(i64, Fate)>) -> Result<(), StoreError> {
        self.with(move |database| {
            let all = database.transaction()?;
            for (number, fate) in &fates {
                match fate {
                    Fate::Made => all.execute("DELETE FROM changes WHERE number = ?1", [number])?,
                    Fate::Refused(status) => all.execute(
                        "UPDATE changes SET refused = ?2 WHERE number = ?1",
                        params![number, status],
                    )?,
                };
            }
            all.commit()
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.0.clone();
        let work = move || work(&mut database.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(work).await;
        Ok(done.map_err(|error| StoreError(error.to_string()))??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, title: &str) -> Change {
        Change { id: id.into(), title: title.into(), url: "https://example.org/".into() }
    }

    async fn titles(store: &ChangeStore) -> Vec<String> {
        let waiting = store.waiting(10).await.unwrap();
        waiting.into_iter().map(|one| one.change.title).collect()
    }

    #[tokio::test]
    async fn a_campaign_survives_its_process_and_the_later_one_of_a_link_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = ChangeStore::open(folder.path()).unwrap();
        store.take(vec![change("a", "1"), change("b", "2"), change("c", "3")]).await.unwrap();
        store.take(vec![change("a", "4")]).await.unwrap();
        drop(store);
        let store = ChangeStore::open(folder.path()).unwrap();
        assert_eq!(titles(&store).await, ["2", "3", "4"]);
    }

    #[tokio::test]
    async fn what_came_while_a_change_was_on_its_way_is_not_taken_out_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = ChangeStore::open(folder.path()).unwrap();
        store.take(vec![change("a", "1"), change("b", "2")]).await.unwrap();
        let on_its_way = store.waiting(10).await.unwrap();
        store.take(vec![change("a", "3")]).await.unwrap();
        let fates = [Fate::Made, Fate::Refused(404)];
        let fates = on_its_way.iter().map(|one| one.number).zip(fates).collect();
        store.settle(fates).await.unwrap();
        assert_eq!(titles(&store).await, ["3"]);
    }
}
