/** Models of the package that are found beside it, and that bundlers leave out unless they are asked for. */
export const BESIDE = ['tiny', 'simple_convnet', 'alexnet_mini', 'vgg_mini', 'googlenet_mini', 'resnet_mini', 'efficientnet_mini'];
