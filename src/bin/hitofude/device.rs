//! `--device`: where a command computes, and what it says about that.

use hitofude::nn::{Network, Params};
use hitofude::systems::digits::Training;
use hitofude::train::evaluate;
use hitofude::{Error, Result};
use std::str::FromStr;

/// Images of a trial.
#[cfg(feature = "gpu")]
const TRIED: usize = 200;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The CPU.
    #[default]
    Cpu,
    /// A GPU: the fastest, or that of this number.
    Gpu(Option<usize>),
    /// Whichever a short trial finds faster.
    Auto,
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::value("--device", "cpu, gpu, gpu:0 or auto", text);
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "gpu" => Ok(Self::Gpu(None)),
            None if text == "auto" => Ok(Self::Auto),
            Some(("gpu", number)) => number.parse().map(|number| Self::Gpu(Some(number))).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// Says, in one line, that the CPU computes though a GPU was asked for.
fn stays(why: &Error) {
    eprintln!("the CPU computes: {why}");
}

/// The device that was asked for, or a word that there is none.
#[cfg(feature = "gpu")]
fn opened(choice: Choice) -> Option<hitofude::gpu::Device> {
    let number = match choice {
        Choice::Cpu => return None,
        Choice::Gpu(number) => number,
        Choice::Auto => None,
    };
    hitofude::gpu::wait(hitofude::gpu::Device::open(number)).inspect_err(stays).ok()
}

/// The scores of `n` images, from where they were asked to be computed, or from the CPU where that fails.
pub fn scores(
    choice: Choice,
    net: &Network,
    params: &Params,
    n: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Vec<f32>> {
    #[cfg(feature = "gpu")]
    if let Some(device) = opened(choice) {
        // A short trial first: both read the first images.
        let own = |n: usize| hitofude::gpu::wait(hitofude::train::on_gpu::scores(&device, net, params, n, &fill));
        let few = n.min(TRIED);
        let timed = |read: &dyn Fn() -> Result<Vec<f32>>| -> Result<f64> {
            let begun = std::time::Instant::now();
            read().map(|_| 1e3 * begun.elapsed().as_secs_f64())
        };
        let cpu = timed(&|| evaluate::scores(net, params, few, &fill))?;
        // The first time compiles the kernels, which the device keeps.
        match own(few).and_then(|_| timed(&|| own(few))) {
            Ok(gpu) => {
                let slower = choice == Choice::Auto && cpu <= gpu;
                let computes = if slower { "the CPU computes" } else { "the GPU computes" };
                eprintln!("{few} images take {gpu:.1} ms on {}, {cpu:.1} ms on the CPU: {computes}", device.name());
                if !slower {
                    match own(n) {
                        Ok(scores) => return Ok(scores),
                        Err(why) => stays(&why),
                    }
                }
            }
            Err(why) => stays(&why),
        }
    }
    #[cfg(not(feature = "gpu"))]
    if choice != Choice::Cpu {
        stays(&Error::missing("GPU", "a build with `--features gpu`", "one without"));
    }
    evaluate::scores(net, params, n, fill)
}

/// Moves a training to where it was asked to be, if it can be there, and says what a step takes on both.
#[cfg(feature = "gpu")]
pub fn place(training: &mut Training, choice: Choice) -> Result<()> {
    let Some(device) = opened(choice) else { return Ok(()) };
    let begun = std::time::Instant::now();
    let tried = training.move_to(&device).and_then(|()| training.trial(|| begun.elapsed().as_secs_f64()));
    let trial = match tried {
        Ok(trial) => trial,
        Err(why) => {
            training.move_back();
            stays(&why);
            return Ok(());
        }
    };
    let stays = choice == Choice::Auto && trial.cpu <= trial.gpu;
    if stays {
        training.move_back();
    }
    let (gpu, cpu) = (1e3 * trial.gpu, 1e3 * trial.cpu);
    let computes = if stays { "the CPU computes" } else { "the GPU computes" };
    eprintln!("a step takes {gpu:.1} ms on {}, {cpu:.1} ms on the CPU: {computes}", device.name());
    Ok(())
}

/// Says that this build knows no GPU.
#[cfg(not(feature = "gpu"))]
pub fn place(_: &mut Training, choice: Choice) -> Result<()> {
    if choice != Choice::Cpu {
        stays(&Error::missing("GPU", "a build with `--features gpu`", "one without"));
    }
    Ok(())
}

/// Says it where a GPU has failed since the last time.
pub fn report(training: &mut Training) {
    #[cfg(feature = "gpu")]
    if let Some(why) = training.lost() {
        eprintln!("the CPU goes on from the same step: {why}");
    }
    #[cfg(not(feature = "gpu"))]
    let _ = training;
}
