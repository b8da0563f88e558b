export { addPartitions, inertiaOf, moveCenters, spreadCenters } from './centers';
export { fillTiles } from './fill';
export { assignPartition } from './lloyd';
export { nearestRows } from './nearest';
export { beginSeeding, drawCandidate, keepCandidate, setClosest, tryCandidates } from './seeding';
export { distanceSums } from './silhouette';
