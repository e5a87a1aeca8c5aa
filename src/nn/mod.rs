//! Floor 2: networks. Layers, losses, initialisation, the plan and the run.
