"""From the weights that packages carry to models that run, without the programs they are of."""
