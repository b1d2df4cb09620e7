"""Recovery of a killed Pulumi run: find the resources it created and record them in the state."""
