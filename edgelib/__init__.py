"""5G edge sites on AWS Wavelength as Pulumi components."""
