//! Layers that join several inputs.

use super::super::builder::{Hold, Wire, count};
use super::super::translate::Translator;
use super::Job;
use crate::error::Result;
use crate::file::onnx::Attribute;

impl Translator<'_> {
    pub(super) fn merge(&mut self, job: &Job, inputs: Vec<Wire>) -> Result<Wire> {
        let class = job.layer.class.as_str();
        if inputs.is_empty() {
            return Err(job.layer.refuse("inputs", "none"));
        }
        if class == "Concatenate" {
            return self.concatenate(job, inputs);
        }
        let wires = self.alike(inputs);
        let sides = broadcast(&wires).ok_or_else(|| {
            let got: Vec<String> = wires.iter().map(|wire| format!("{:?}", wire.sides)).collect();
            job.layer.refuse("inputs of one shape", got.join(" and "))
        })?;
        let names: Vec<&str> = wires.iter().map(|wire| wire.name.as_str()).collect();
        let made = match (class, &names[..]) {
            (_, [only]) => only.to_string(),
            ("Subtract", [a, b]) => self.out.node("Sub", &job.name, &[a, b], &[]),
            ("Subtract", many) => return Err(job.layer.refuse("two inputs", many.len())),
            ("Add", [a, b]) => self.out.node("Add", &job.name, &[a, b], &[]),
            ("Multiply", many) => {
                let mut product = many[0].to_string();
                for factor in &many[1..] {
                    product = self.out.node("Mul", &job.name, &[&product, factor], &[]);
                }
                product
            }
            (class, many) => {
                let op = match class {
                    "Add" => "Sum",
                    "Average" => "Mean",
                    "Maximum" => "Max",
                    _ => "Min",
                };
                self.out.node(op, &job.name, many, &[])
            }
        };
        let positive = class != "Subtract" && wires.iter().all(|wire| wire.positive);
        Ok(Wire { positive, ..Wire::new(made, sides, wires[0].hold.clone()) })
    }

    /// Wires held alike: as they are where they are so already.
    fn alike(&mut self, inputs: Vec<Wire>) -> Vec<Wire> {
        let same = inputs.iter().all(|wire| wire.hold == inputs[0].hold && wire.sides.len() == inputs[0].sides.len());
        let maps = inputs.iter().all(|wire| wire.sides.len() == inputs[0].sides.len() && wire.sides.len() >= 2);
        let first = maps && inputs.iter().any(|wire| wire.hold == Hold::First);
        let turned = |wire| match (same, first) {
            (true, _) => self.out.settled(wire),
            (_, true) => self.out.first(wire),
            _ => self.out.plain(wire),
        };
        inputs.into_iter().map(turned).collect()
    }

    fn concatenate(&mut self, job: &Job, inputs: Vec<Wire>) -> Result<Wire> {
        let rank = inputs[0].sides.len();
        let axis = job.layer.signed("axis", -1)?;
        let axis = if axis < 0 { axis + rank as i64 + 1 } else { axis };
        if axis < 1 || axis > rank as i64 || inputs.iter().any(|wire| wire.sides.len() != rank) {
            return Err(job.layer.refuse("an axis of inputs with as many axes", axis));
        }
        let along = axis as usize - 1;
        // Two flattened maps in a row have no one order.
        let flat = inputs.iter().any(|wire| matches!(wire.hold, Hold::Flat(_)));
        let wires = match flat {
            true => inputs.into_iter().map(|wire| self.out.plain(wire)).collect(),
            false => self.alike(inputs),
        };
        let place = match wires[0].hold {
            Hold::First if along == rank - 1 => 1,
            Hold::First => along + 2,
            _ => along + 1,
        };
        let mut sides = wires[0].sides.clone();
        let parts: Option<Vec<usize>> = wires.iter().map(|wire| wire.sides[along]).collect();
        sides[along] = parts.and_then(|parts| parts.iter().try_fold(0_usize, |sum, &n| sum.checked_add(n)));
        let names: Vec<&str> = wires.iter().map(|wire| wire.name.as_str()).collect();
        let made = self.out.node("Concat", &job.name, &names, &[("axis", Attribute::Int(place as i64))]);
        let positive = wires.iter().all(|wire| wire.positive);
        Ok(Wire { positive, ..Wire::new(made, sides, wires[0].hold.clone()) })
    }

    /// The same numbers under other sides, as Keras orders them.
    pub(super) fn under_sides(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let no = |got: &dyn std::fmt::Display| job.layer.refuse("sides that hold the input's numbers", got);
        let list = job.layer.get("target_shape").and_then(|list| list.as_array());
        let list = list.ok_or_else(|| no(&"none"))?;
        let wanted: Option<Vec<i64>> =
            list.iter().map(|side| side.as_i64().filter(|v| (-1..1 << 24).contains(v))).collect();
        let wanted = wanted.filter(|wanted| (1..=4).contains(&wanted.len()) && !wanted.contains(&0));
        let wanted = wanted.ok_or_else(|| no(&"others"))?;
        let open = wanted.iter().filter(|&&side| side == -1).count();
        let known: Option<usize> =
            wanted.iter().filter(|&&side| side != -1).try_fold(1_usize, |n, &side| n.checked_mul(side as usize));
        let (known, all) = (known.ok_or_else(|| no(&"far more"))?, count(&x.sides));
        let sides: Vec<Option<usize>> = match (open, all) {
            (0, Some(all)) if all != known => return Err(no(&format!("{wanted:?} for {all}"))),
            (1, Some(all)) if all % known != 0 => return Err(no(&format!("{wanted:?} for {all}"))),
            (0 | 1, _) => wanted
                .iter()
                .map(|&side| if side == -1 { all.map(|all| all / known) } else { Some(side as usize) })
                .collect(),
            _ => return Err(no(&"two sides that are left open")),
        };
        if sides.len() == 1 {
            return self.flatten(job, x);
        }
        let positive = x.positive;
        // Single pixels are the same numbers wherever their channels stand.
        let pixel = |sides: &[Option<usize>]| sides.len() == 3 && sides[0] == Some(1) && sides[1] == Some(1);
        if pixel(&sides) && (x.sides.len() == 1 || pixel(&x.sides)) {
            let x = self.out.settled(x);
            let x = if matches!(x.hold, Hold::Flat(_)) { self.out.plain(x) } else { x };
            let target = [wanted[2], 1, 1];
            let made = self.out.reshape(&job.name, &x.name, &target);
            return Ok(Wire { positive, ..Wire::new(made, sides, Hold::First) });
        }
        let x = match (&x.hold, pixel(&x.sides)) {
            (Hold::First, true) => self.out.settled(x),
            _ => self.out.plain(x),
        };
        let made = self.out.reshape(&job.name, &x.name, &wanted);
        Ok(Wire { positive, ..Wire::new(made, sides, Hold::Plain) })
    }
}

/// The sides of what several wires make together: a side of 1 counts as often as it has to.
fn broadcast(wires: &[Wire]) -> Option<Vec<Option<usize>>> {
    let mut sides = wires[0].sides.clone();
    for wire in &wires[1..] {
        if wire.sides.len() != sides.len() {
            return None;
        }
        for (own, other) in sides.iter_mut().zip(&wire.sides) {
            *own = match (*own, *other) {
                (Some(1), other) => other,
                (own, Some(1)) => own,
                (Some(a), Some(b)) if a != b => return None,
                (own, other) => own.or(other),
            };
        }
    }
    Some(sides)
}
