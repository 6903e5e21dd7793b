"""`gallery setup`: what an engine or a store needs, installed into the environment that it runs in.

| module | its one job |
|---|---|
| packages | what is missing of an extra, and the commands that install it |
| weights | the files of models that the prompts ask for, fetched |
"""
