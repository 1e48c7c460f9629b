//! The click queue in SQLite: one thread writes, and one commit carries all that waits for it.

use super::{Backlog, Click, ClickStore, Fate, StoreError, StoreFuture};
use crate::clock;
use rusqlite::{Connection, params};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// Operations in one commit.
const GROUP: usize = 256;
/// Delivered rows are kept this long, to recognise a click that is sent in again.
const REMEMBER_MS: i64 = 7 * 24 * 3_600 * 1_000;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS clicks (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL UNIQUE,
        handle TEXT NOT NULL,
        link_id TEXT NOT NULL,
        occurred_at TEXT NOT NULL,
        accepted_ms INTEGER NOT NULL,
        fate TEXT NOT NULL DEFAULT 'waiting',
        status INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS waiting ON clicks (seq) WHERE fate = 'waiting';
";

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Op {
    Enqueue(Click, Reply<()>),
    Settle(Vec<(String, Fate)>, Reply<()>),
    Pending(usize, Reply<Vec<Click>>),
    Backlog(Reply<Backlog>),
}

/// The durable queue.
pub struct SqliteStore {
    ops: mpsc::Sender<Op>,
}

impl SqliteStore {
    /// Opens or creates `clicks.sqlite` in `folder` and starts its thread.
    ///
    /// # Errors
    /// When the folder or the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError(error.to_string()))?;
        let database = Connection::open(folder.join("clicks.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        database.execute(
            "DELETE FROM clicks WHERE fate = 'delivered' AND accepted_ms < ?1",
            [clock::wall_ms() - REMEMBER_MS],
        )?;
        let (ops, inbox) = mpsc::channel(4 * GROUP);
        std::thread::Builder::new()
            .name("click-queue".into())
            .spawn(move || work(database, inbox))
            .map_err(|error| StoreError(error.to_string()))?;
        Ok(Self { ops })
    }

    fn ask<T: Send + 'static>(
        &self,
        op: impl FnOnce(Reply<T>) -> Op + Send + 'static,
    ) -> StoreFuture<'_, T> {
        let gone = || StoreError("its thread is gone".into());
        Box::pin(async move {
            let (reply, replied) = oneshot::channel();
            self.ops.send(op(reply)).await.map_err(|_| gone())?;
            replied.await.map_err(|_| gone())?
        })
    }
}

impl ClickStore for SqliteStore {
    fn enqueue(&self, click: Click) -> StoreFuture<'_, ()> {
        self.ask(move |reply| Op::Enqueue(click, reply))
    }

    fn pending(&self, limit: usize) -> StoreFuture<'_, Vec<Click>> {
        self.ask(move |reply| Op::Pending(limit, reply))
    }

    fn settle(&self, fates: Vec<(String, Fate)>) -> StoreFuture<'_, ()> {
        self.ask(move |reply| Op::Settle(fates, reply))
    }

    fn backlog(&self) -> StoreFuture<'_, Backlog> {
        self.ask(Op::Backlog)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

fn work(mut database: Connection, mut inbox: mpsc::Receiver<Op>) {
    while let Some(first) = inbox.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            let Ok(op) = inbox.try_recv() else { break };
            group.push(op);
        }
        let mut finishes: Vec<Finish> = Vec::new();
        let committed = database.transaction().map_err(StoreError::from).and_then(|group_commit| {
            for op in group {
                finishes.push(apply(&group_commit, op));
            }
            group_commit.commit().map_err(StoreError::from)
        });
        // Nobody hears of success before the commit is on disk.
        for finish in finishes {
            finish(committed.clone());
        }
    }
}

fn apply(database: &Connection, op: Op) -> Finish {
    fn then<T: Send + 'static>(result: rusqlite::Result<T>, reply: Reply<T>) -> Finish {
        let result = result.map_err(StoreError::from);
        Box::new(move |committed| drop(reply.send(committed.and(result))))
    }
    match op {
        Op::Enqueue(click, reply) => then(enqueue(database, &click), reply),
        Op::Settle(fates, reply) => then(settle(database, &fates), reply),
        Op::Pending(limit, reply) => then(pending(database, limit), reply),
        Op::Backlog(reply) => then(backlog(database), reply),
    }
}

fn enqueue(database: &Connection, click: &Click) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "INSERT OR IGNORE INTO clicks (event_id, handle, link_id, occurred_at, accepted_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            click.event_id,
            click.handle,
            click.link_id,
            click.occurred_at,
            clock::wall_ms()
        ])
        .map(drop)
}

fn settle(database: &Connection, fates: &[(String, Fate)]) -> rusqlite::Result<()> {
    let mut update =
        database.prepare_cached("UPDATE clicks SET fate = ?2, status = ?3 WHERE event_id = ?1")?;
    for (event_id, fate) in fates {
        let (word, status) = match fate {
            Fate::Delivered => ("delivered", None),
            Fate::Refused(status) => ("refused", Some(*status)),
        };
        update.execute(params![event_id, word, status])?;
    }
    Ok(())
}

fn pending(database: &Connection, limit: usize) -> rusqlite::Result<Vec<Click>> {
    database
        .prepare_cached(
            "SELECT event_id, handle, link_id, occurred_at FROM clicks
             WHERE fate = 'waiting' ORDER BY seq LIMIT ?1",
        )?
        .query_map([limit as i64], |row| {
            Ok(Click {
                event_id: row.get(0)?,
                handle: row.get(1)?,
                link_id: row.get(2)?,
                occurred_at: row.get(3)?,
            })
        })?
        .collect()
}

fn backlog(database: &Connection) -> rusqlite::Result<Backlog> {
    database
        .prepare_cached("SELECT count(*), min(accepted_ms) FROM clicks WHERE fate = 'waiting'")?
        .query_row([], |row| {
            Ok(Backlog { depth: row.get::<_, i64>(0)?.unsigned_abs(), oldest_ms: row.get(1)? })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(id: &str) -> Click {
        Click {
            event_id: id.into(),
            handle: "h".into(),
            link_id: "l".into(),
            occurred_at: "2026-01-01T00:00:00Z".into(),
        }
    }

    /// What was acknowledged is there after a restart, in order, once, and without what was
    /// settled.
    #[tokio::test]
    async fn the_queue_survives_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        for id in ["c", "a", "b", "a", "d"] {
            store.enqueue(click(id)).await.unwrap();
        }
        let fates = vec![("c".into(), Fate::Delivered), ("d".into(), Fate::Refused(422))];
        store.settle(fates).await.unwrap();
        drop(store);
        let store = SqliteStore::open(folder.path()).unwrap();
        store.enqueue(click("c")).await.unwrap();
        assert_eq!(store.pending(10).await.unwrap(), [click("a"), click("b")]);
        assert_eq!(store.pending(1).await.unwrap(), [click("a")]);
        let backlog = store.backlog().await.unwrap();
        assert!(backlog.depth == 2 && backlog.oldest_ms.is_some(), "{backlog:?}");
    }

    #[tokio::test]
    async fn many_writers_share_commits() {
        let folder = tempfile::tempdir().unwrap();
        let store = std::sync::Arc::new(SqliteStore::open(folder.path()).unwrap());
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..500 {
            let store = store.clone();
            writers.spawn(async move { store.enqueue(click(&n.to_string())).await });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(store.backlog().await.unwrap().depth, 500);
    }
}
