"""The page of an asset's metrics: what is asked (`asked`), of which assets (`others`), drawn (`lines`), as a table
(`rows`), in files (`files`), and what is said of it (`words`)."""
