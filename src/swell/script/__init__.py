"""What the author of a load script uses; `import swell` gives its public names."""
