"""What a killed run of Pulumi leaves behind: found in the services, and recorded by Pulumi's own means."""
