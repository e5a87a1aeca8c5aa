//! The sources' experiments: their networks are what they say, and one of them trains.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/mod.rs"]
mod common;

use hitofude::data::idx::{Split, load_mnist};
use hitofude::systems::reproduce::{CLAIMS, Claim, PRESETS, Preset};
use hitofude::zoo;

#[test]
fn every_preset_builds_and_the_deep_one_is_the_sources() {
    for preset in PRESETS {
        let net = preset.build().unwrap();
        preset.options.check().unwrap();
        let (first, again) = (preset.begin(&net, 1).unwrap(), preset.begin(&net, 1).unwrap());
        assert_eq!(first.values(), again.values(), "{}", preset.name);
        assert_eq!(PRESETS.iter().filter(|other| other.name == preset.name).count(), 1);
    }
    let deep = Preset::named("deep").unwrap().build().unwrap();
    assert_eq!(deep.views(), zoo::build("deep_convnet").unwrap().views());
    assert_eq!(Preset::named("relu, He").unwrap().build().unwrap().parameters(), 785 * 40 + 41 * 20 + 21 * 10);
    assert!(Preset::named("relu").unwrap_err().to_string().contains("relu, He"));
}

#[test]
fn three_hundred_images_are_known_by_heart() {
    let Some(folder) = common::shared("data/mnist") else { return };
    let (train, test) = (load_mnist(&folder, Split::Train).unwrap(), load_mnist(&folder, Split::Test).unwrap());
    let mut steps = 0;
    let ours = Preset::named("overfitting").unwrap().run(&train, &test, 1, |_, _| steps += 1).unwrap();
    assert_eq!((steps, ours.train), (1000, 1.0));
    assert!((0.7..0.83).contains(&ours.test), "theirs 0.7732, ours {}", ours.test);
}

#[test]
fn every_claim_compares_networks_that_build() {
    for claim in CLAIMS {
        assert!(Preset::named(claim.name).is_err() && Claim::named(claim.name).unwrap().says == claim.says);
        for arm in claim.arms {
            assert_eq!(arm.build().unwrap().input_shape().len(), 784, "{}, {}", claim.name, arm.name);
        }
    }
    let parameters = |at: usize| Claim::named("three 3x3 for one 7x7").unwrap().arms[at].build().unwrap().parameters();
    assert!(parameters(1) < parameters(0));
}

/// The one claim whose effect is beyond chance in a few steps.
#[test]
fn an_auxiliary_loss_brings_the_gradient_to_the_first_layer() {
    let Some(folder) = common::shared("data/mnist") else { return };
    let (train, mut test) = (load_mnist(&folder, Split::Train).unwrap(), load_mnist(&folder, Split::Test).unwrap());
    (test.images.n, test.labels) = (100, test.labels[..100].to_vec());
    let claim = Claim { steps: 20, ..*Claim::named("auxiliary loss").unwrap() };
    let [without, with] = [0, 1].map(|arm| claim.run(&claim.arms[arm], &train, &test, 1, |_| ()).unwrap());
    assert!(with.stem > 10.0 * without.stem, "{} with, {} without", with.stem, without.stem);
}
