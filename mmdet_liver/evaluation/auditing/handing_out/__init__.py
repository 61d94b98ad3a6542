"""The review list as a table, contact sheets, and files for Label Studio and CVAT."""
