"""The reasons of decisions, marked for the catalogue: the engine's own, and those of packs."""

from typing import Final

from api.web.languages import N_

REASONS: Final = (
    # registry/policy/reasons.py
    N_("This service is suspended."),
    N_("Something this decision needs is missing."),
    N_("No permission was found. Ask for consent."),
    N_("Someone who is not a target must not be used so."),
    N_("A permission brings duties this service has not declared."),
    N_("This is not the person it was said to be."),
    N_("Nothing to compare was given for this."),
    N_("A name alone does not tell who is used."),
    N_("The name belongs to someone else."),
    N_("The probe is too poor to compare."),
    N_("The probe could not be compared just now."),
    N_("Some people are known only to an encoder that is being replaced."),
    N_("It may be a registered person; this is unsure."),
    N_("It may be more than one person."),
    N_("The person is likely but not sure enough for a permission: name whom you believe it is."),
    N_("The person's registration is not verified."),
    N_("No registered person was found."),
    N_("The registry knows of no consent; you need a lawful basis of your own."),
    N_("It is a registered picture."),
    N_("A court or regulator forbade this."),
    N_("The person objects to this."),
    N_("An objection to this is being contested."),
    N_("Who this registration belongs to is contested."),
    N_("Consent to this was withdrawn."),
    N_("The grant for this is suspended."),
    N_("An exception is claimed; a person decides."),
    N_("The exception is not known everywhere named."),
    N_("It is not known whether the person is of age."),
    N_("Being known does not replace consent."),
    N_("A grant covers this."),
    N_("No post-mortem right runs in what was named."),
    N_("There is no grant."),
    N_("No grant for this is this service's."),
    N_("The grant is not for this modality."),
    N_("The grant is not for this use."),
    N_("The grant is not for this purpose."),
    N_("The grant is not for all these territories."),
    N_("The grant does not allow this content."),
    N_("The grant is not for commercial use."),
    N_("The grant is not verified yet."),
    N_("The grant has not begun."),
    N_("The grant has ended."),
    N_("The uses that were granted are used up."),
    N_("Those who must consent did not all sign."),
    N_("Holders of the right who must sign did not."),
    N_("The grant lacks a form the law demands."),
    N_("The grant runs longer than is allowed."),
    N_("The person is dead and still protected."),
    N_("The law has not settled whether the dead are protected."),
    N_("The law differs by state: name it."),
    N_("Whether the right was renewed by use is unknown."),
    N_("Whether close relatives live is unknown."),
    N_("Where the person lived at death is unknown."),
    N_("When the person died is unknown."),
    N_("Nobody who answers for it has recorded the death."),
    # the bars of registry/policy/packs
    N_(
        "A service that offers deep synthesis or generative AI to the public in China needs a"
        " filing there."
    ),
    N_("In China no false news is made with deep synthesis."),
    N_("Obscene content is unlawful in China whoever consented."),
    N_("Sexual content that shows or sounds like a minor is never permitted."),
    N_("In China no intimate companion is modelled on a minor."),
    N_("In China heroes and martyrs are not disparaged, however long they are dead."),
    N_("No voice or likeness is made to pass an identity check."),
    N_("In the union no sexual imagery of a person is made without their express consent."),
    N_(
        "In the union no face database is built by untargeted scraping: a person looks at where"
        " the faces come from."
    ),
    N_("In France no sexual montage of a person is published without their consent."),
    N_(
        "In the United Kingdom making or asking for an intimate image of an adult without their"
        " consent is an offence."
    ),
    N_("In India no intimate imagery of a person is made or kept online without their consent."),
    N_("In Japan sexual content of a person needs that person's consent."),
    N_("In South Korea making sexual content of a person against their will is a crime."),
    N_("In South Korea no political deepfakes are made in the 90 days before an election."),
    N_(
        "In the United States publishing an intimate depiction of a person without their consent"
        " is a crime."
    ),
    N_("A minor's voice or likeness is not used for politics."),
    N_("Sexual content needs a grant of the person shown that expressly allows it."),
    N_("No voice or likeness is made to deceive for gain."),
)
