"""The commands of `cricksy`, by who types them: `analysing` for one video, `operating` for all of them."""
