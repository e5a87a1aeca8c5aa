//! What a value network makes of a board: values, maps, and where it looks.

use super::report::{MapsOf, View};
use crate::Result;
use crate::kernel::reduce;
use crate::nn::{Network, Params};
use crate::systems::explain::{Explainer, Method};
use crate::systems::play::{Catch, Game, Table};

pub(super) struct Eye {
    explainer: Explainer,
    /// The layers to show, with their channels, height and width.
    layers: Vec<(String, [usize; 3])>,
    /// The exact values, where they are known.
    table: Option<Table>,
}

impl Eye {
    pub(super) fn new(game: &Game, net: &Network, params: &Params, gamma: f32) -> Result<Self> {
        let shown = net.nodes().iter().filter(|node| {
            let kind = node.layer.as_ref().map(|layer| layer.kind());
            kind == Some("conv") || (kind == Some("affine") && node.name != net.node(net.output()).name)
        });
        Ok(Self {
            layers: shown.map(|node| (node.name.clone(), [node.shape.c, node.shape.h, node.shape.w])).collect(),
            explainer: Explainer::new(net, params)?,
            table: (game.name == "catch").then(|| Table::exact(gamma)),
        })
    }

    pub(super) fn renew(&mut self, params: &Params) -> Result<()> {
        self.explainer.renew(params)
    }

    pub(super) fn values(&mut self, board: &[f32]) -> Result<&[f32]> {
        self.explainer.look(board)?;
        self.explainer.scores()
    }

    pub(super) fn look(&mut self, board: &[f32]) -> Result<View> {
        let values = self.values(board)?.to_vec();
        let best = reduce::argmax(&values).unwrap_or(0);
        let cam = self.explainer.reasons(Method::GradCam, best)?.map;
        let maps = self.layers.iter().map(|(name, shape)| {
            let values = self.explainer.values(name)?.as_slice().into();
            Ok(MapsOf { name: name.clone(), shape: *shape, values })
        });
        let exact = self.table.as_ref().zip(Catch::of_board(board)).map(|(table, moment)| table.values(&moment));
        Ok(View {
            values: values.as_slice().into(),
            best,
            maps: maps.collect::<Result<_>>()?,
            cam: cam.as_slice().into(),
            exact: exact.map(|values| values[..].into()),
        })
    }
}
