//! An input behind the first one, as a description gives it: a layer of the type `input`.

use super::setting::{shown, text, whole};
use super::{only, shape};
use crate::error::{Error, Result};
use crate::nn::graph::{Graph, Node, Wire};
use crate::nn::port::{Port, Rows};
use serde_json::{Map, Value};

/// The type of an input in a list of layers.
pub(super) const TYPE: &str = "input";

const KEYS: [&str; 7] = ["name", "type", "shape", "holds", "below", "rows", "with"];

/// Adds the input that `value` describes. Errors: those of [`Graph::port`], and of the keys.
pub(super) fn read(graph: &mut Graph, name: &str, value: &Map<String, Value>) -> Result<Wire> {
    only(name, value, |key| KEYS.contains(&key), &KEYS.join(", "))?;
    let below = || {
        let found = value.get("below").and_then(whole).filter(|below| *below > 0);
        found.ok_or_else(|| Error::value(format!("{name}: below"), "a whole number", shown(value.get("below"))))
    };
    let holds = value.get("holds").map_or(Ok("image"), |holds| text(name, holds))?;
    let port = match holds {
        "image" => Port::Image,
        "distribution" => Port::Distribution,
        "mask" => Port::Mask(below()?),
        "indices" => Port::Indices(below()?),
        "boxes" => Port::Boxes,
        other => {
            let expected = "one of image, distribution, mask, indices, boxes";
            return Err(Error::missing(format!("{name}: holds"), expected, other));
        }
    };
    let rows = match (value.get("rows"), value.get("with")) {
        (None, None) => Rows::IMAGES,
        (None, Some(other)) => graph.nodes()[graph.wire(text(name, other)?)?.0].rows,
        (Some(each), _) => {
            let each = whole(each)
                .ok_or_else(|| Error::value(format!("{name}: rows"), "a whole number", shown(Some(each))))?;
            graph.rows(each)?
        }
    };
    graph.port(name, shape(value.get("shape"))?, port, rows)
}

/// The description of an input behind the first one: `each` is the most rows for an image, `like` an input before it with the
/// same rows.
pub(super) fn write(node: &Node, each: usize, like: Option<&str>) -> String {
    let (holds, below) = match node.port {
        Port::Image => ("image", None),
        Port::Distribution => ("distribution", None),
        Port::Mask(below) => ("mask", Some(below)),
        Port::Indices(below) => ("indices", Some(below)),
        Port::Boxes => ("boxes", None),
    };
    let name = Value::from(node.name.as_str());
    let mut out =
        format!("{{\"name\":{name},\"type\":\"{TYPE}\",\"shape\":[{},{},{}]", node.shape.c, node.shape.h, node.shape.w);
    out += &format!(",\"holds\":\"{holds}\"");
    if let Some(below) = below {
        out += &format!(",\"below\":{below}");
    }
    match like {
        _ if node.rows == Rows::IMAGES => {}
        Some(other) => out += &format!(",\"with\":{}", Value::from(other)),
        None => out += &format!(",\"rows\":{each}"),
    }
    out + "}"
}
