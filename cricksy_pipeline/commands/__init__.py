"""The commands of `cricksy`, by what somebody wants: `analysing` to have a video analysed, `viewing` and `overlaying` to look at it,
`comparing`, `operating` and `backfilling` for the pipeline, `signing` for the API, `doctoring` for the installation."""
