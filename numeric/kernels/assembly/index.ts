export { assignPartition } from './lloyd';
export { nearestTile } from './nearest';
export { distanceSums } from './silhouette';
