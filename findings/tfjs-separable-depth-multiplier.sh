#!/bin/sh
# TensorFlow.js 4.22.0 cannot load a model that it has just saved, where a separable convolution has a depth multiplier: the
# layer's getConfig leaves depthMultiplier out, so that the description in model.json means one channel for each, while the
# weights beside it have two. (Models of Keras that its converter writes have the number.) A reader that goes by the
# shape of the weights opens such a file.
#
# Seen: "Shape mismatch: [3,3,2,1] vs. [3,3,2,2]"
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit @tensorflow/tfjs@4.22.0
cat > seen.cjs <<'JS'
const tf = require('@tensorflow/tfjs');
const layer = tf.layers.separableConv2d({ filters: 3, kernelSize: 3, depthMultiplier: 2, inputShape: [8, 8, 2] });
const model = tf.sequential({ layers: [layer] });
console.log('getConfig().depthMultiplier:', layer.getConfig().depthMultiplier, layer.getConfig().depth_multiplier);
(async () => {
  let kept;
  await model.save(tf.io.withSaveHandler(async (artifacts) => ((kept = artifacts), { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } })));
  const why = await tf.loadLayersModel(tf.io.fromMemory(kept)).then(() => 'loaded', (error) => error.message);
  console.log(why);
  if (!why.includes('[3,3,2,1] vs. [3,3,2,2]')) process.exit(1);
})();
JS
node seen.cjs 2>/dev/null > seen.txt || { cat seen.txt; exit 1; }
grep -v '^$' seen.txt
