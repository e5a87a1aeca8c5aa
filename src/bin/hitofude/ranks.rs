//! The ranks that `mpirun` starts: one process or many as one training.
//!
//! Rank 0 reads and writes checkpoints, logs and cards and speaks to the person; the others compute. An error ends them all.

#[cfg(feature = "mpi")]
use hitofude::kernel::Level;
use hitofude::train::group::{agree, same};
#[cfg(feature = "mpi")]
use hitofude::train::ranks::Ranks;
use hitofude::train::{Alone, Group};
use hitofude::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::sync::Arc;

/// What `train`, `fit` and `teach` share with the ranks.
#[derive(clap::Args, Clone, Copy)]
pub struct Together {
    /// Under mpirun: sum gradients by all-reduce. The weights then depend on the number of ranks.
    #[arg(long)]
    pub fast_sum: bool,
}

/// This process and those that it trains with.
pub struct World {
    group: Arc<dyn Group>,
    #[cfg(feature = "mpi")]
    mpi: Option<(Arc<Ranks>, mpi::environment::Universe)>,
}

/// A number that a launcher has left in the environment: Open MPI's, or that of MPICH and its kin.
fn told(names: [&str; 2]) -> Option<usize> {
    names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many processes a launcher has started, if one has.
fn launched() -> Option<usize> {
    told(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
}

/// Whether this process is to tell of errors that come before it has joined the others.
pub fn speaks() -> bool {
    told(["OMPI_COMM_WORLD_RANK", "PMI_RANK"]).unwrap_or(0) == 0
}

/// Threads of each rank if none are asked for: the machine's, shared by its ranks.
pub fn threads() -> Option<usize> {
    launched()?;
    let here = told(["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"]).unwrap_or(1).max(1);
    Some((std::thread::available_parallelism().map_or(1, usize::from) / here).max(1))
}

impl World {
    /// Joins the processes that were started together, or stays alone. `together` is what the command can have of it.
    ///
    /// Fails for several processes of a command that runs in one only, and of one built without MPI.
    pub fn join(together: Option<Together>) -> Result<Self> {
        let fast = together.is_some_and(|together| together.fast_sum);
        match launched() {
            Some(2..) if together.is_none() => {
                let expected = "train, fit or teach features, which run on several";
                Err(Error::value("command under mpirun", expected, "one that runs in one process"))
            }
            None if fast => Err(Error::value("--fast-sum", "several ranks: mpirun -n N hitofude …", "one process")),
            None => Ok(Self::alone()),
            Some(ranks) => Self::ranks(ranks, fast),
        }
    }

    fn alone() -> Self {
        Self {
            group: Arc::new(Alone),
            #[cfg(feature = "mpi")]
            mpi: None,
        }
    }

    #[cfg(not(feature = "mpi"))]
    fn ranks(ranks: usize, _: bool) -> Result<Self> {
        if ranks == 1 {
            return Ok(Self::alone());
        }
        let expected = "a command that was built with MPI: cargo build --release --features mpi";
        Err(Error::value(format!("{ranks} processes under mpirun"), expected, "one without"))
    }

    #[cfg(feature = "mpi")]
    fn ranks(_: usize, fast: bool) -> Result<Self> {
        // A rank that panics would leave the others waiting for ever: it takes the whole job down.
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            std::process::abort();
        }));
        let Some((universe, _)) = mpi::initialize_with_threading(mpi::Threading::Funneled) else {
            return Err(Error::value("MPI", "a world that this process can join", "none"));
        };
        let ranks = Arc::new(Ranks::world(fast));
        let world = Self { group: ranks.clone(), mpi: Some((ranks, universe)) };
        same(world.group(), "SIMD lanes, by which the last bits of sums differ,", &format!("{:?}", Level::new()))?;
        if world.leads() {
            let threads = rayon::current_num_threads();
            eprintln!("{} ranks with {threads} threads each", world.group.size());
        }
        Ok(world)
    }

    /// The group to train in.
    pub fn group(&self) -> &dyn Group {
        &*self.group
    }

    /// As [`World::group`], to keep.
    pub fn shared(&self) -> Arc<dyn Group> {
        self.group.clone()
    }

    /// Whether this process writes files and tells of what happens.
    pub fn leads(&self) -> bool {
        self.group.rank() == 0
    }

    /// Hides the bar where another rank shows it.
    pub fn bar(&self, bar: ProgressBar) -> ProgressBar {
        if !self.leads() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar
    }

    /// What every rank's preparation came to: what it learns from, in a few words that must be the same. Refuses where one
    /// failed.
    pub fn prepared(&self, fingerprint: impl FnOnce() -> String) -> Result<()> {
        if self.group.size() == 1 {
            return Ok(());
        }
        same(self.group(), "SHA-256 of what is learnt from", &fingerprint())
    }

    /// A rank's own result, with the error of whichever rank failed.
    pub fn every<T>(&self, own: Result<T>) -> Result<T> {
        match own {
            Ok(value) => agree(self.group(), Ok(Vec::new())).map(|_| value),
            Err(error) => Err(agree(self.group(), Err(error)).expect_err("an error of its own")),
        }
    }

    /// The bytes that rank 0 reads, for all of them; empty if it reads none.
    pub fn first_reads(&self, read: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
        let own = if self.leads() { read().map(Option::unwrap_or_default) } else { Ok(Vec::new()) };
        let first = agree(self.group(), own)?.swap_remove(0);
        Ok((!first.is_empty()).then_some(first))
    }

    /// Tells what the steps have sent to and fro.
    pub fn sent(&self, steps: u64) {
        #[cfg(feature = "mpi")]
        if let Some((ranks, _)) = self.mpi.as_ref().filter(|(ranks, _)| self.leads() && ranks.sent() > 0) {
            eprintln!("rank 0 sent {} bytes of gradients a step", ranks.sent() / steps.max(1));
        }
        #[cfg(not(feature = "mpi"))]
        let _ = steps;
    }

    /// Ends every rank behind an error, with exit code 2. Rank 0 has said what it was; errors of the others are its own, too.
    pub fn end(&self) {
        #[cfg(feature = "mpi")]
        if let Some((ranks, _)) = self.mpi.as_ref().filter(|(ranks, _)| ranks.size() > 1) {
            use mpi::topology::Communicator;
            if ranks.rank() > 0 {
                // Rank 0 comes to the same end and speaks first.
                std::thread::sleep(std::time::Duration::from_secs(5));
            }
            mpi::topology::SimpleCommunicator::world().abort(2);
        }
    }
}
