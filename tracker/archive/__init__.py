"""Archives: many recordings, on all cores of a machine or on a cluster, with the results of one run each."""
