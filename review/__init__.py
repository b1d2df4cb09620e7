"""Reports of what a run of Pulumi changes, for pull requests and issues."""
