"""Recovery of a killed Pulumi run: find the resources that it created and record them in the state."""
