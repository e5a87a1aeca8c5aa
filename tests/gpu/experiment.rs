use crate::common::{assert_close, device};
use hitofude::gpu::{self, Device};
use hitofude::systems::experiment::{Coach, GpuCoach, Learner, Samples, Setup};
use std::sync::Arc;

const NETWORK: &str = r#"{"input":[1,28,28],"layers":[{"name":"conv1","type":"conv","out":4,"kernel":5,"stride":2},
    {"name":"relu1","type":"relu"},{"name":"pool1","type":"max_pool","kernel":2,"stride":2},
    {"name":"flatten1","type":"flatten"},{"name":"dropout1","type":"dropout","ratio":0.2},
    {"name":"affine1","type":"affine","out":10}]}"#;

fn setup() -> Setup {
    let network = serde_json::Value::from(NETWORK);
    let options = r#"{"optimiser":{"rule":"momentum"},"rate":0.05,"schedule":{"curve":"cosine"}}"#;
    let augment = r#"{"shift":1.0}"#;
    let json = format!(
        r#"{{"network":{network},"batch":20,"shard":8,"steps":12,"seed":3,"options":{options},"augment":{augment}}}"#
    );
    Setup::from_json(&json).unwrap()
}

/// Takes steps on the CPU.
fn train(learner: &mut Learner, coach: &mut Coach, steps: u64) {
    for _ in 0..steps {
        learner.receive(coach.params().values()).unwrap();
        for shard in 0..3 {
            let progress = learner.learn(coach.steps(), shard).unwrap();
            coach.add(learner.gradient(), progress).unwrap();
        }
        coach.step().unwrap();
    }
}

#[test]
fn a_coach_goes_to_the_gpu_and_back() {
    let Some(device) = device("a coach") else { return };
    let samples = Arc::new(Samples::made_up(1, 50, 10).unwrap());
    let make = || {
        let coach = Coach::new(setup(), samples.shape(), samples.classes()).unwrap();
        (Learner::new(setup(), samples.clone()).unwrap(), coach)
    };
    let (mut learner, mut expected) = make();
    train(&mut learner, &mut expected, 12);
    // Three steps here, six there, which cross the end of an epoch, three here.
    let (mut learner, mut coach) = make();
    train(&mut learner, &mut coach, 3);
    let mut own = gpu::wait(GpuCoach::new(&device, setup(), samples.clone(), Some(coach.state()))).unwrap();
    (0..6).for_each(|_| own.step().unwrap());
    let arrived = gpu::wait(own.come()).unwrap();
    assert_eq!((arrived.progress.len(), arrived.state.memory.steps), (6, 9));
    coach.restore(arrived.state).unwrap();
    train(&mut learner, &mut coach, 3);
    assert!(coach.finished());
    assert_close("the weights", coach.params().values(), expected.params().values());
}

#[test]
fn a_lost_device_costs_a_coach_no_step() {
    if device("a lost coach").is_none() {
        return;
    }
    let device = gpu::wait(Device::open(None)).unwrap();
    let samples = Arc::new(Samples::made_up(1, 50, 10).unwrap());
    let mut own = gpu::wait(GpuCoach::new(&device, setup(), samples.clone(), None)).unwrap();
    (0..4).for_each(|_| own.step().unwrap());
    let state = gpu::wait(own.come()).unwrap().state;
    own.step().unwrap();
    device.destroy();
    assert!(gpu::wait(own.come()).is_err());
    let mut coach = Coach::new(setup(), samples.shape(), samples.classes()).unwrap();
    coach.restore(state).unwrap();
    let mut learner = Learner::new(setup(), samples).unwrap();
    train(&mut learner, &mut coach, 8);
    assert_eq!(coach.steps(), 12);
}
