//! Streets: views repeat, every class is there, drives go on, and seeds of parts stay apart.

use hitofude::data::streets::{CLASSES, Drive, HEIGHT, Split, WIDTH, Weather, view};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn views_show_every_class_in_every_weather() {
    let mut counts = vec![[0_usize; CLASSES.len()]; Weather::ALL.len()];
    for i in 0..18 {
        let shot = view(Split::Validation, i);
        assert_eq!(shot.truth.len(), WIDTH * HEIGHT);
        assert_eq!((shot.picture.w, shot.picture.h), (WIDTH, HEIGHT));
        assert!(shot.picture.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
        shot.truth.iter().for_each(|c| counts[i as usize % Weather::ALL.len()][usize::from(*c)] += 1);
    }
    for (weather, counts) in Weather::ALL.iter().zip(&counts) {
        assert!(counts.iter().all(|n| *n > 0), "{}: {counts:?}", weather.name());
        // The road is what one sees most of, or nearly.
        assert!(counts[1] * 8 > counts.iter().sum::<usize>(), "{}: {counts:?}", weather.name());
        assert_eq!(Weather::named(weather.name()).unwrap(), *weather);
    }
    assert!(Weather::named("hail").unwrap_err().to_string().contains("rain"));
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn views_and_drives_follow_from_their_seeds() {
    assert_eq!(view(Split::Train, 3), view(Split::Train, 3));
    for (one, other) in
        [(Split::Train, Split::Validation), (Split::Validation, Split::Test), (Split::Test, Split::Train)]
    {
        assert!((0..1000).all(|i| one.seed(i) != other.seed(i)));
        assert_ne!(view(one, 3).picture, view(other, 3).picture);
    }
    let drive = Drive::new(5, Weather::Day);
    let (first, next, later) = (drive.frame(0), drive.frame(1), drive.frame(24));
    assert_eq!(drive.frame(24), later);
    // Two frames are nearly alike, two seconds on is another place.
    let differ = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    let (near, far) = (differ(&first.truth, &next.truth), differ(&first.truth, &later.truth));
    assert!(0 < near && 2 * near < far, "{near} and {far} of {} pixels", first.truth.len());
    // Another weather over the same street: most pixels keep their class.
    let fog = Drive::new(5, Weather::Day).under(Weather::Dusk).frame(0);
    assert!(differ(&first.truth, &fog.truth) * 5 < first.truth.len() && first.picture != fog.picture);
    assert!(Drive::new(5, Weather::Day).paced(0.0).is_err() && Drive::new(5, Weather::Day).paced(f32::NAN).is_err());
}
